"""Cursors of lists: opaque to callers, good only for the list they came from."""

import base64
import binascii
import json
from dataclasses import dataclass

from shared.domain.identifiers import digest
from shared.errors import BadMessageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a list goes on: in which of its stretches, and after which row of it."""

    stretch: int = 0
    token: tuple[str | None, str | None] | None = None
    """Azure's continuation token; None at the start of a stretch."""


def write_cursor(position: Position, *, of: tuple[str, ...]) -> str:
    """Return the cursor for *position* in the list named by *of*."""
    parts = [_mark(of), position.stretch, list(position.token) if position.token else None]
    raw = json.dumps(parts, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(cursor: str, *, of: tuple[str, ...]) -> Position:
    """Read a cursor of the list named by *of*; an empty one is the start.

    Raises BadMessageError when it is not one we gave for this list.
    """
    if not cursor:
        return Position()
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = json.loads(raw)
    except (binascii.Error, ValueError) as error:
        raise _bad(cursor) from error
    match parts:
        case [mark, int(stretch), None] if mark == _mark(of) and stretch >= 0:
            return Position(stretch=stretch)
        case [mark, int(stretch), [str() | None as partition, str() | None as row]] if (
            mark == _mark(of) and stretch >= 0
        ):
            return Position(stretch=stretch, token=(partition, row))
        case _:
            raise _bad(cursor)


def _mark(of: tuple[str, ...]) -> str:
    return digest(*of)[:8]


def _bad(cursor: str) -> BadMessageError:
    return BadMessageError(
        f"cursor {cursor[:40]!r} does not belong to this list; start again without one"
    )
