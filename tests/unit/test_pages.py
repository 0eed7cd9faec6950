"""Walking through all pages of a list."""

from shared.ports import Page, every

PAGES = {
    "": Page(items=(1, 2), cursor="a"),
    "a": Page[int](items=(), cursor="b"),
    "b": Page(items=(3,)),
}


async def test_every_item_of_all_pages_comes_in_order_also_after_an_empty_page() -> None:
    asked: list[str] = []

    async def page(cursor: str) -> Page[int]:
        asked.append(cursor)
        return PAGES[cursor]

    assert [item async for item in every(page)] == [1, 2, 3]
    assert asked == ["", "a", "b"]


async def test_who_stops_early_asks_for_no_more_pages() -> None:
    asked: list[str] = []

    async def page(cursor: str) -> Page[int]:
        asked.append(cursor)
        return PAGES[cursor]

    assert await anext(every(page)) == 1
    assert asked == [""]
