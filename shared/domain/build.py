"""A build: its phases, its attempts, and whose turn it is.

Every message of a build carries the turn it was sent for, and the record counts the turns taken.
A delivery for the present turn acts; anything else is a repeat, and can tell from the two numbers
alone what to do (`Build.admit`). So a message delivered any number of times never multiplies.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.failure import Failure
from shared.domain.history import Transition
from shared.domain.verification import Verification


class Phase(StrEnum):
    """What a build is waiting for."""

    QUEUED = "queued"
    """An attempt is to be started."""
    BUILDING = "building"
    """Image Builder works on the attempt."""
    TATTOOING = "tattooing"
    VERIFYING = "verifying"
    REPAIRING = "repairing"
    """The attempt failed; what follows is to be decided."""
    PUBLISHING = "publishing"
    RELEASED = "released"
    REJECTED = "rejected"
    """Checks failed and repairs are used up."""
    FAILED = "failed"
    """No version could be made: configuration, access, or Azure failed too often."""


ALLOWED: dict[Phase, frozenset[Phase]] = {
    Phase.QUEUED: frozenset({Phase.BUILDING, Phase.REPAIRING, Phase.FAILED}),
    Phase.BUILDING: frozenset({Phase.TATTOOING, Phase.REPAIRING, Phase.FAILED}),
    Phase.TATTOOING: frozenset({Phase.VERIFYING, Phase.REPAIRING, Phase.FAILED}),
    Phase.VERIFYING: frozenset({Phase.PUBLISHING, Phase.REPAIRING, Phase.FAILED}),
    Phase.REPAIRING: frozenset({Phase.QUEUED, Phase.REJECTED, Phase.FAILED}),
    Phase.PUBLISHING: frozenset({Phase.RELEASED, Phase.FAILED}),
    Phase.RELEASED: frozenset(),
    Phase.REJECTED: frozenset(),
    Phase.FAILED: frozenset(),
}
"""Which phase may follow which; a phase may also follow itself (another look)."""

FINISHED = frozenset(p for p, following in ALLOWED.items() if not following)


class Admission(StrEnum):
    """What a delivery may do."""

    ACT = "act"
    GUARD = "guard"
    """A repeat of the delivery before: come back later to see that the build went on."""
    RESEND = "resend"
    """The build did not go on: its next message was lost, send it again."""
    DROP = "drop"
    """The build went on without this delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One Image Builder template and its run."""

    number: int
    version: str
    """The image version reserved for this attempt."""
    template: str
    started_at: datetime
    repairs: tuple[str, ...] = ()
    run_requested_at: datetime | None = None
    ended_at: datetime | None = None
    progress: str = ""
    """Image Builder's last word on the run, for people: for example `Running: Customizing`."""
    failure: Failure | None = None
    verification: Verification | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One attempt-carrying run for one (definition, source version, customization digest)."""

    id: str
    definition: str
    image_id: str
    """Normalised id of the gallery image definition."""
    source_urn: str
    source_version: str
    customization_digest: str
    requested_by: str
    """What asked for it: `source-version`, `http` … never a person's name."""
    forced: bool
    created_at: datetime
    updated_at: datetime
    phase: Phase = Phase.QUEUED
    turn: int = 0
    due: datetime | None = None
    """When the present turn's message is expected; None means at once."""
    repairs: tuple[str, ...] = ()
    """Names of the repairs in force for the next attempt."""
    attempts: tuple[Attempt, ...] = ()
    history: tuple[Transition, ...] = ()

    @property
    def attempt(self) -> Attempt:
        """The present attempt; raises ValueError before the first one."""
        if not self.attempts:
            raise ValueError(f"build {self.id} has no attempt yet")
        return self.attempts[-1]

    @property
    def finished(self) -> bool:
        """Whether the build has come to its end."""
        return self.phase in FINISHED

    @property
    def phase_since(self) -> datetime:
        """When the present phase began."""
        return self.history[-1].at if self.history else self.created_at

    def admit(self, turn: int, *, guard: bool) -> Admission:
        """Tell what a delivery for *turn* may do; *guard* marks one that already came back.

        The present turn acts. The turn before is a repeat: its first delivery saved the record
        but may have died before it sent the next message, so it comes back once to see. Older
        turns are dropped: that a later one was taken shows that its message was sent. A finished
        build takes no further turn that could show it, so its last words are said again; they
        carry the same event ids.
        """
        if turn >= self.turn:
            return Admission.DROP if self.finished else Admission.ACT
        if turn < self.turn - 1:
            return Admission.DROP
        return Admission.RESEND if guard or self.finished else Admission.GUARD

    def next(
        self,
        phase: Phase,
        *,
        now: datetime,
        because: str = "",
        wait: timedelta | None = None,
        attempt: Attempt | None = None,
        repairs: tuple[str, ...] | None = None,
    ) -> "Build":
        """Return the build one turn on, in *phase*, its next message due after *wait*.

        *attempt* replaces the present attempt, or is added when its number is new; *repairs*
        replaces those in force. A change of phase is a line of history.

        Raises ValueError when *phase* may not follow the present one.
        """
        if phase is not self.phase and phase not in ALLOWED[self.phase]:
            raise ValueError(f"build {self.id} is {self.phase} and cannot go to {phase}")
        step = Transition(what="phase", old=self.phase, new=phase, at=now, because=because)
        return replace(
            self,
            phase=phase,
            turn=self.turn + 1,
            due=now + wait if wait else None,
            updated_at=now,
            repairs=self.repairs if repairs is None else repairs,
            attempts=self._attempts_with(attempt),
            history=self.history if phase is self.phase else (*self.history, step),
        )

    def _attempts_with(self, attempt: Attempt | None) -> tuple[Attempt, ...]:
        if attempt is None:
            return self.attempts
        return (*(a for a in self.attempts if a.number != attempt.number), attempt)
