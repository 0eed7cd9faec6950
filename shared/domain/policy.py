"""What Azure Policy says about a VM: the newest word per assignment, and their roll-up."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.vm_record import PolicyState

RANK = ("noncompliant", "compliant", "error", "conflicting", "protected", "exempt", "unknown")
"""Which state speaks for many, the strongest first
(https://learn.microsoft.com/azure/governance/policy/concepts/compliance-states)."""

AHEAD = timedelta(minutes=5)
"""How far the clock that stamps evaluations may be ahead of ours."""

_SPELLINGS = {"non-compliant": "noncompliant", "conflict": "conflicting", "exempted": "exempt"}


def canonical(state: str) -> str:
    """Return *state* as one of RANK; a text Azure may add one day counts as `unknown`."""
    text = state.strip().lower()
    text = _SPELLINGS.get(text, text)
    return text if text in RANK else "unknown"


def merge(held: tuple[PolicyState, ...], said: PolicyState) -> tuple[PolicyState, ...]:
    """Return *held* with *said* in its place; *held* itself when it is at least as new.

    A deletion stays as a tombstone, so that an older word that comes late does not bring the
    state back. Of two words with one timestamp the same one wins in whatever order they come:
    the deletion, else the stronger state.
    """
    others = tuple(s for s in held if s.key != said.key)
    before = next((s for s in held if s.key == said.key), None)
    if before is not None and _precedence(before) >= _precedence(said):
        return held
    return tuple(sorted((*others, said), key=lambda s: s.key))


def hear(
    held: tuple[PolicyState, ...], said: PolicyState, *, now: datetime
) -> tuple[PolicyState, ...]:
    """Return *held* with *said* in its place, as `merge` does, whatever the clocks show.

    A word from more than AHEAD in the future is taken for one of *now*, so it holds back nothing
    that is evaluated after it came; its repeat, which comes later, changes nothing. One that is
    held already loses against any other.
    """
    latest = now + AHEAD
    before = next((s for s in held if s.key == said.key), None)
    if before is not None and before.timestamp > latest:
        held = tuple(s for s in held if s is not before)
        before = None
    if said.timestamp > latest:
        said = replace(said, timestamp=now)
        if before is not None and same_word(before, said):
            return held
    return merge(held, said)


def same_word(one: PolicyState, other: PolicyState) -> bool:
    """Tell whether both say the same, whenever it was evaluated."""
    return replace(one, timestamp=other.timestamp) == other


def is_exempt(state: PolicyState) -> bool:
    """Tell whether the VM is exempt from what the assignment asks."""
    return not state.deleted and canonical(state.state) == "exempt"


def is_stale(evaluated: datetime | None, *, now: datetime, after: timedelta) -> bool:
    """Tell whether an evaluation is older than *after*; where there is none, nothing is stale."""
    return evaluated is not None and now - evaluated > after


def roll_up(states: Iterable[PolicyState]) -> str:
    """Return the strongest state of those not deleted; empty when there is none."""
    alive = [canonical(s.state) for s in states if not s.deleted]
    return min(alive, key=RANK.index, default="")


def evaluated_at(states: Iterable[PolicyState]) -> datetime | None:
    """Return when the oldest evaluation among those not deleted was made; None without one."""
    return min((s.timestamp for s in states if not s.deleted), default=None)


def strength(state: PolicyState) -> tuple[bool, int]:
    """Return what sorts states by how much they say, the strongest first and deletions last."""
    return (state.deleted, RANK.index(canonical(state.state)))


def _precedence(state: PolicyState) -> tuple[datetime, bool, int, str, str, str]:
    rank = -RANK.index(canonical(state.state))
    rest = (state.state, state.reason_code, state.definition_id)
    return (state.timestamp, state.deleted, rank, *rest)
