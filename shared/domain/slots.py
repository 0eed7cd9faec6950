"""Places to build: how many attempts Image Builder may work on at once, first come, first served.

A seat is never given back by whoever held it, because that process may die: whoever finds no room
asks which holders still build, and takes the seats of those that do not.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One attempt that builds, or waits for its turn to."""

    build_id: str
    attempt: int
    since: datetime

    @property
    def key(self) -> tuple[str, int]:
        """Whose seat it is."""
        return self.build_id, self.attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The seats of one subscription and region, and the line of those that wait."""

    scope: str
    """`<subscription>/<region>`."""
    taken: tuple[Seat, ...] = ()
    line: tuple[Seat, ...] = ()
    """In the order they came."""

    def has(self, key: tuple[str, int]) -> bool:
        """Tell whether the attempt *key* has a seat."""
        return any(s.key == key for s in self.taken)

    def place(self, key: tuple[str, int]) -> int:
        """Return the place in line of *key*, from 0; behind everybody when it is not in line."""
        keys = [s.key for s in self.line]
        return keys.index(key) if key in keys else len(keys)

    def without(self, gone: Collection[tuple[str, int]]) -> "Slots":
        """Return the seats and the line without the attempts *gone*."""
        return replace(
            self,
            taken=tuple(s for s in self.taken if s.key not in gone),
            line=tuple(s for s in self.line if s.key not in gone),
        )

    def asked(self, key: tuple[str, int], *, limit: int, now: datetime) -> "Slots":
        """Let the attempt *key* sit down if its turn has come, else stand in line.

        A free seat goes to whoever came first, even if that one has not come back to take it yet.
        """
        if self.has(key):
            return self
        seat = Seat(build_id=key[0], attempt=key[1], since=now)
        if self.place(key) < limit - len(self.taken):
            rest = tuple(s for s in self.line if s.key != key)
            return replace(self, taken=(*self.taken, seat), line=rest)
        if any(s.key == key for s in self.line):
            return self
        return replace(self, line=(*self.line, seat))
