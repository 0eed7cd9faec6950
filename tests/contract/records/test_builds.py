"""What every register of builds does."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.build import Phase
from shared.errors import BadMessageError, ConflictError
from shared.ports import Stored
from tests.contract.records.samples import NOON, AnyRecords, a_build, pages


async def test_a_build_comes_back_as_it_was_saved(records: AnyRecords) -> None:
    build = a_build().next(Phase.BUILDING, now=NOON, wait=timedelta(seconds=60))
    saved = await records.builds.save(Stored(build))
    loaded = await records.builds.get(build.id)
    assert loaded == saved
    assert loaded is not None
    assert loaded.value == build
    assert loaded.etag


async def test_an_unknown_build_is_none(records: AnyRecords) -> None:
    assert await records.builds.get("nobody") is None


async def test_a_build_is_inserted_once(records: AnyRecords) -> None:
    await records.builds.save(Stored(a_build()))
    with pytest.raises(ConflictError):
        await records.builds.save(Stored(a_build(minutes=1)))
    kept = await records.builds.list()
    assert [b.created_at for b in kept.items] == [NOON]


async def test_of_two_deliveries_one_wins_and_the_other_hears_of_it(records: AnyRecords) -> None:
    first = await records.builds.save(Stored(a_build()))
    second = await records.builds.get(first.value.id)
    assert second is not None
    await records.builds.save(replace(first, value=replace(first.value, turn=1)))
    with pytest.raises(ConflictError):
        await records.builds.save(replace(second, value=replace(second.value, turn=2)))
    kept = await records.builds.get(first.value.id)
    assert kept is not None
    assert kept.value.turn == 1


async def test_saving_returns_the_etag_the_next_save_needs(records: AnyRecords) -> None:
    stored = await records.builds.save(Stored(a_build()))
    for turn in (1, 2, 3):
        stored = await records.builds.save(
            Stored(replace(stored.value, turn=turn), etag=stored.etag)
        )
    loaded = await records.builds.get(stored.value.id)
    assert loaded is not None
    assert loaded.value.turn == 3


async def test_a_build_that_was_never_stored_cannot_be_replaced(records: AnyRecords) -> None:
    stored = await records.builds.save(Stored(a_build("one")))
    with pytest.raises(ConflictError):
        await records.builds.save(Stored(a_build("two"), etag=stored.etag))


async def test_long_and_foreign_texts_survive(records: AnyRecords) -> None:
    text = "Zeile Ωλ 漢字 🚀 \"quoted\" 'single' \\ \n" * 3000
    await records.builds.save(Stored(a_build(source_version=text)))
    loaded = await records.builds.get("ubuntu-2204-abc")
    assert loaded is not None
    assert loaded.value.source_version == text


@pytest.mark.parametrize("build_id", ["a/b\\c#d?e", "50%25+1", "tab\tnul\x00 del\x7f", "o'x!2f|~ü"])
async def test_ids_may_hold_any_character(records: AnyRecords, build_id: str) -> None:
    stored = await records.builds.save(Stored(a_build(build_id)))
    await records.builds.save(replace(stored, value=replace(stored.value, turn=1)))
    loaded = await records.builds.get(build_id)
    assert loaded is not None
    assert (loaded.value.id, loaded.value.turn) == (build_id, 1)
    assert [b.id for b in (await records.builds.list()).items] == [build_id]


async def test_builds_are_listed_newest_first_by_definition_or_all(records: AnyRecords) -> None:
    for minutes, definition in enumerate(["ubuntu-2204", "windows-2022", "ubuntu-2204"]):
        build = a_build(f"b{minutes}", minutes=minutes, definition=definition)
        await records.builds.save(Stored(build))
    every = await records.builds.list()
    ubuntu = await records.builds.list(definition="ubuntu-2204")
    nobody = await records.builds.list(definition="nobody")
    assert [b.id for b in every.items] == ["b2", "b1", "b0"]
    assert [b.id for b in ubuntu.items] == ["b2", "b0"]
    assert nobody.items == ()


async def test_a_list_shows_builds_as_they_are_now(records: AnyRecords) -> None:
    stored = await records.builds.save(Stored(a_build()))
    await records.builds.save(replace(stored, value=replace(stored.value, turn=7)))
    assert [b.turn for b in (await records.builds.list()).items] == [7]


async def test_pages_follow_one_another_without_gap_or_repeat(records: AnyRecords) -> None:
    for minutes in range(7):
        await records.builds.save(Stored(a_build(f"b{minutes}", minutes=minutes)))
    found = await pages(lambda cursor: records.builds.list(limit=3, cursor=cursor))
    assert [[b.id for b in items] for items in found] == [["b6", "b5", "b4"], ["b3", "b2", "b1"], ["b0"]]  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(
    "cursor",
    ["nonsense", "ü", "!", base64.urlsafe_b64encode(b'["x",0,null]').decode(), "e30", "MTIz"],
)
async def test_a_cursor_we_did_not_give_is_refused(records: AnyRecords, cursor: str) -> None:
    with pytest.raises(BadMessageError):
        await records.builds.list(cursor=cursor)


async def test_a_cursor_is_good_for_its_own_list_only(records: AnyRecords) -> None:
    for minutes in range(3):
        await records.builds.save(Stored(a_build(f"b{minutes}", minutes=minutes)))
    page = await records.builds.list(limit=1)
    assert page.cursor
    with pytest.raises(BadMessageError):
        await records.builds.list(definition="ubuntu-2204", cursor=page.cursor)
