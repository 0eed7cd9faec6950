"""What many ports speak of: stored records, pages of them, and how patient the steps are."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.image_definition import ImageDefinition

type Definitions = Mapping[str, ImageDefinition]
"""Every image definition by its name, read once at start."""


@dataclass(frozen=True, slots=True)
class Stored[T]:
    """A record as loaded, with the ETag it is to be saved under; empty for one not yet stored."""

    value: T
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page[T]:
    """Some of many; *cursor* asks for the rest and is empty on the last page.

    A page may hold fewer items than asked for, or none, and still have a cursor.
    """

    items: tuple[T, ...]
    cursor: str = ""


async def every[T](page: Callable[[str], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """Yield the items of all pages; *page* asks for the one at a cursor, at first an empty one."""
    cursor = ""
    while True:
        read = await page(cursor)
        for item in read.items:
            yield item
        cursor = read.cursor
        if not cursor:
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient the steps are."""

    look: timedelta
    """Between two looks at something Azure is doing."""
    grace: timedelta
    """How long after its due time a repeated delivery checks that the build went on."""
    retry: timedelta
    """Before a new attempt when Azure failed or had no room."""
    blind: timedelta
    """How long a status that cannot be read is put up with, beyond the build's own timeout."""
    soak: timedelta = timedelta(days=1)
    """How long a version stays in a channel whose definition does not say."""

    @property
    def remember(self) -> timedelta:
        """How long VMs may be judged by versions that were read before."""
        return self.look / 4

    @property
    def slow(self) -> timedelta:
        """How old a reading may be when what was judged by it is written down."""
        return self.look / 2

    @property
    def second_look(self) -> timedelta:
        """After a change of a version its users are judged again after this: longer than *slow*."""
        return self.look
