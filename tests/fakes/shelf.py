"""Values by key under ETags, and pages of lists: what the register in memory is made of."""

import base64
import binascii
from collections.abc import Iterable
from itertools import count

from shared.errors import BadMessageError, ConflictError
from shared.ports import Page, Stored


class Shelf[T]:
    """Values by key, each under the ETag it was last written with."""

    def __init__(self) -> None:
        self._etags = count(1)
        self._stored: dict[str, Stored[T]] = {}

    def get(self, key: str) -> Stored[T] | None:
        return self._stored.get(key)

    def save(self, key: str, stored: Stored[T]) -> Stored[T]:
        present = self._stored.get(key)
        if stored.etag != (present.etag if present else ""):
            raise ConflictError(f"{key} was changed by someone else")
        self._stored[key] = Stored(stored.value, f"etag-{next(self._etags)}")
        return self._stored[key]

    def put(self, key: str, value: T) -> None:
        self._stored[key] = Stored(value, f"etag-{next(self._etags)}")

    def remove(self, key: str) -> None:
        self._stored.pop(key, None)

    def values(self) -> list[Stored[T]]:
        return list(self._stored.values())


def page_of[T](items: Iterable[T], *, of: str, limit: int, cursor: str) -> Page[T]:
    """Cut a page; the cursor counts the items before it and names the list it is of."""
    start = _read_cursor(cursor, of) if cursor else 0
    rest = list(items)[start:]
    following = base64.urlsafe_b64encode(f"{of}\n{start + limit}".encode()).decode()
    return Page(items=tuple(rest[:limit]), cursor=following if len(rest) > limit else "")


def _read_cursor(cursor: str, of: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError) as error:
        raise BadMessageError(f"cursor {cursor!r} cannot be read") from error
    name, _, start = text.rpartition("\n")
    if name != of or not start.isdigit():
        raise BadMessageError(f"cursor {cursor!r} does not belong to this list")
    return int(start)
