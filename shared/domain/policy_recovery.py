"""What of a VM's policy states differs from what Azure lists; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from shared.domain.policy import AHEAD, hear, same_word
from shared.domain.vm_record import PolicyState

type States = tuple[PolicyState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How many policy states a look found, and how many of them no event had told."""

    states: int = 0
    """States Azure lists."""
    new: int = 0
    """Not held."""
    changed: int = 0
    """Held with another word, or as deleted."""
    removed: int = 0
    """Held, and no longer listed."""
    refreshed: int = 0
    """As held, but evaluated anew: no event tells that."""

    @property
    def missed(self) -> int:
        """What an event should have told."""
        return self.new + self.changed + self.removed

    def __add__(self, other: Self) -> Self:
        """Return both together."""
        return replace(
            self,
            states=self.states + other.states,
            new=self.new + other.new,
            changed=self.changed + other.changed,
            removed=self.removed + other.removed,
            refreshed=self.refreshed + other.refreshed,
        )


def unlisted(held: States, listed: Iterable[PolicyState]) -> States:
    """Return the living states among *held* that are not *listed*."""
    keys = {state.key for state in listed}
    return tuple(s for s in held if not s.deleted and s.key not in keys)


def recover(
    held: States,
    listed: Sequence[PolicyState],
    *,
    gone: Iterable[PolicyState],
    now: datetime,
    fresh_since: datetime,
) -> tuple[States, Found]:
    """Return *held* with what Azure has *listed* and without what is *gone*, and what differed.

    Each listed state counts as an event with its words would: the newest evaluation wins. The same
    words evaluated anew are taken only where what is held was evaluated before *fresh_since*, so
    that a VM nothing happens to is not written at every look.

    A tombstone keeps the time of the state it ends. So it outlives words that come late, and does
    not hold back an evaluation made since.
    """
    states, found = held, Found(states=len(listed))
    for word in listed:
        states, differing = _take(states, word, now=now, fresh_since=fresh_since)
        found += differing
    for state in gone:
        ended = hear(states, replace(state, state="", reason_code="", deleted=True), now=now)
        if ended is not states:
            states, found = ended, found + Found(removed=1)
    return states, found


def _take(
    held: States, word: PolicyState, *, now: datetime, fresh_since: datetime
) -> tuple[States, Found]:
    before = next((s for s in held if s.key == word.key), None)
    after = hear(held, word, now=now)
    if after is held:
        return held, Found()
    if before is None:
        return after, Found(new=1)
    if not same_word(before, word):
        return after, Found(changed=1)
    if fresh_since <= before.timestamp <= now + AHEAD:
        return held, Found()
    return after, Found(refreshed=1)
