"""Pages of a list: the answer's shape, and cutting a page out of what is in memory."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from shared.errors import BadMessageError
from shared.ports import Page
from shared.web.exchange import ApiRequest, ApiResponse, Json, Links
from shared.web.problems import bad_request
from shared.web.views.values import instant


def page_answer(
    request: ApiRequest, links: Links, items: list[Json], cursor: str, *, now: datetime
) -> ApiResponse:
    """Answer a page: its items, the address of the next one, and when it was read."""
    return ApiResponse(
        status=200,
        body={
            "items": items,
            "next": links.next_page(request, cursor),
            "as_of": instant(now),
        },
    )


async def fetch[P](page: Awaitable[P]) -> P:
    """Await a page of the register.

    Raises ProblemError (400) when the cursor is not one the register gave.
    """
    try:
        return await page
    except BadMessageError as error:
        raise bad_request(("cursor", str(error))) from error


def cut[T](items: Iterable[T], name: Callable[[T], str], *, limit: int, cursor: str) -> Page[T]:
    """Return the *limit* items after the one called *cursor*, or the first ones.

    The cursor is the name of the last item given, which the next page starts after.

    Raises ProblemError (400) when *cursor* names no item.
    """
    left = list(items)
    if cursor:
        names = [name(i) for i in left]
        if cursor not in names:
            raise bad_request(("cursor", "it is not one this list gave; start without a cursor"))
        left = left[names.index(cursor) + 1 :]
    more = len(left) > limit
    return Page(items=tuple(left[:limit]), cursor=name(left[limit - 1]) if more else "")
