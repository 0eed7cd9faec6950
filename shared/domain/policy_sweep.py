"""How far a sweep through the policy states of one subscription is, and what it found."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.policy_recovery import Found
from shared.domain.turns import Admission, admit

MAX_RESTARTS = 3
"""How often a sweep begins anew because Azure forgot where it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a sweep is: on which page of Azure's list, and up to which VM."""

    skip_token: str = ""
    """Azure's token of the page; empty for the first one."""
    page_after: str = ""
    """The pages before went up to this VM, by normalised id."""
    done_to: str = ""
    """Of this page the VMs up to this one are done; empty when none is."""

    @property
    def after(self) -> str:
        """The VM from which on the register was not yet compared."""
        return max(self.page_after, self.done_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySweep:
    """One sweep through one subscription; it moves on a turn with each message."""

    subscription_id: str
    began_at: datetime
    turn: int = 0
    at: Position = field(default_factory=Position)
    counted: bool = False
    """Whether *found* holds what the present turn finds: it is counted before it is mended."""
    found: Found = field(default_factory=Found)
    restarts: int = 0
    ended_at: datetime | None = None
    problem: str = ""
    """Why it ended without having seen everything; empty when it saw all."""

    def admit(self, turn: int, *, guard: bool) -> Admission:
        """Tell what a delivery for *turn* may do; see `turns.admit`."""
        if self.ended_at is not None:
            return Admission.DROP
        return admit(turn, taken=self.turn, guard=guard)

    def counting(self, found: Found) -> "PolicySweep":
        """Return it with what the present turn finds; a repeat finds it counted."""
        return self if self.counted else replace(self, found=self.found + found, counted=True)

    def moved(self, found: Found, *, at: Position | None, now: datetime) -> "PolicySweep":
        """Return it one turn on, *at* another position, or at its end for None."""
        return replace(
            self.counting(found),
            counted=False,
            turn=self.turn + 1,
            at=at or self.at,
            ended_at=None if at else now,
        )

    def begun_anew(self, *, now: datetime) -> "PolicySweep":
        """Return it back on the first page; stopped when that has happened too often."""
        if self.restarts >= MAX_RESTARTS:
            return self.stopped(
                f"Azure forgot the place in its list {MAX_RESTARTS + 1} times; the next sweep "
                "tries again",
                now=now,
            )
        return replace(
            self,
            turn=self.turn + 1,
            at=Position(),
            counted=False,
            found=replace(self.found, states=0),
            restarts=self.restarts + 1,
        )

    def stopped(self, problem: str, *, now: datetime) -> "PolicySweep":
        """Return it ended for a *problem*."""
        return replace(self, turn=self.turn + 1, ended_at=now, problem=problem)
