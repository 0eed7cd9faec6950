"""A build: its phases, its attempts, and whose turn it is.

Every message of a build carries the turn it was sent for, and the record counts the turns taken.
A delivery for the present turn acts; anything else is a repeat, and can tell from the two numbers
alone what to do (`Build.admit`). So a message delivered any number of times never multiplies.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.failure import Failure
from shared.domain.history import Transition
from shared.domain.parentage import ParentVersion
from shared.domain.run_history import KeptLogs, Remark, Span, entered, left
from shared.domain.turns import Admission, admit
from shared.domain.verification import Verification


class Phase(StrEnum):
    """What a build is waiting for."""

    VERIFYING_SOURCE = "verifying-source"
    """The bare source version is checked before anything is built from it."""
    QUEUED = "queued"
    """An attempt is to be started."""
    BUILDING = "building"
    """Image Builder works on the attempt."""
    TATTOOING = "tattooing"
    VERIFYING = "verifying"
    REPAIRING = "repairing"
    """The attempt failed; what follows is to be decided."""
    ATTESTING = "attesting"
    """It passed; what is known of it is being written down and signed."""
    PUBLISHING = "publishing"
    RELEASED = "released"
    REJECTED = "rejected"
    """Checks failed and repairs are used up."""
    FAILED = "failed"
    """No version could be made: configuration, access, or Azure failed too often."""
    CANCELLED = "cancelled"
    """A person ended it."""


ALLOWED: dict[Phase, frozenset[Phase]] = {
    Phase.VERIFYING_SOURCE: frozenset(
        {Phase.QUEUED, Phase.REJECTED, Phase.FAILED, Phase.CANCELLED}
    ),
    Phase.QUEUED: frozenset({Phase.BUILDING, Phase.REPAIRING, Phase.FAILED, Phase.CANCELLED}),
    Phase.BUILDING: frozenset({Phase.TATTOOING, Phase.REPAIRING, Phase.FAILED, Phase.CANCELLED}),
    Phase.TATTOOING: frozenset({Phase.VERIFYING, Phase.REPAIRING, Phase.FAILED, Phase.CANCELLED}),
    Phase.VERIFYING: frozenset({Phase.ATTESTING, Phase.REPAIRING, Phase.FAILED, Phase.CANCELLED}),
    Phase.ATTESTING: frozenset({Phase.PUBLISHING, Phase.FAILED, Phase.CANCELLED}),
    Phase.REPAIRING: frozenset({Phase.QUEUED, Phase.REJECTED, Phase.FAILED, Phase.CANCELLED}),
    Phase.PUBLISHING: frozenset({Phase.RELEASED, Phase.FAILED}),
    Phase.RELEASED: frozenset(),
    Phase.REJECTED: frozenset(),
    Phase.FAILED: frozenset(),
    Phase.CANCELLED: frozenset(),
}
"""Which phase may follow which; a phase may also follow itself (another look)."""

FINISHED = frozenset(p for p, following in ALLOWED.items() if not following)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A repair applied in an attempt, and the failed checks (or phases) it answers there."""

    repair: str
    answers: tuple[str, ...]


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
    tattoo: dict[str, str] = field(default_factory=dict)
    """The facts this attempt stamps into its version, as they were when it started."""
    failure: Failure | None = None
    verification: Verification | None = None
    statement: str = ""
    """SHA-256 of its build statement, as stamped; empty for attempts of earlier releases."""
    applied: tuple[Application, ...] = ()
    """Repairs that are new in this attempt, or tried again, and why."""
    timeout_minutes: int = 0
    """Time Image Builder was given; 0 means the definition's."""
    step: str = ""
    """What Image Builder does, in one word: `customizing` …"""
    spans: tuple[Span, ...] = ()
    """Every step with its times, as our looks saw it."""
    remarks: tuple[Remark, ...] = ()
    """What Image Builder said of the run."""
    staging_group: str = ""
    """Id of the resource group Image Builder works in, where its own logs are."""
    logs: KeptLogs | None = None
    """Where the logs were copied to; None until that was tried."""
    left_behind: str = ""
    """Why the template is still in Azure although the build is over; empty when it is gone."""

    def at_step(self, phase: Phase, now: datetime) -> "Attempt":
        """Return the attempt with its spans brought up to *phase*."""
        match phase:
            case Phase.BUILDING:
                name = self.step or "creating template"
            case Phase.VERIFYING:
                name = str(self.verification.stage) if self.verification else "verifying"
            case Phase.TATTOOING | Phase.PUBLISHING:
                name = str(phase)
            case _:
                return replace(self, spans=left(self.spans, now))
        return replace(self, spans=entered(self.spans, name, now))


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
    parent: ParentVersion | None = None
    """The golden image version to build from; None when that is a Marketplace image."""
    definition_digest: str = ""
    """What the definition was when the build started."""
    applied: tuple[Application, ...] = ()
    """Repairs that are new in the next attempt, or tried again, and why."""
    waiting: str = ""
    """What the build waits for before it goes on, for people; empty when for nothing of ours."""
    source_verification: Verification | None = None
    """The verification of the bare source version, where the definition asks for one."""
    clean_up_looks: int = 0
    """Looks at what the finished build left in Azure that found something still to go."""

    @property
    def attempt(self) -> Attempt:
        """The present attempt; raises ValueError before the first one."""
        if not self.attempts:
            raise ValueError(f"build {self.id} has no attempt yet")
        return self.attempts[-1]

    @property
    def may_follow(self) -> frozenset[Phase]:
        """The other phases that may follow the present one."""
        return ALLOWED[self.phase]

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

        See `turns.admit`. A finished build takes no further turn that could show its last message
        was sent, so its last words are said again; they carry the same event ids.
        """
        if self.finished and turn >= self.turn:
            return Admission.DROP
        return admit(turn, taken=self.turn, guard=guard or self.finished)

    def next(
        self,
        phase: Phase,
        *,
        now: datetime,
        because: str = "",
        wait: timedelta | None = None,
        attempt: Attempt | None = None,
        repairs: tuple[str, ...] | None = None,
        applied: tuple[Application, ...] | None = None,
        waiting: str = "",
        source_verification: Verification | None = None,
    ) -> "Build":
        """Return the build one turn on, in *phase*, its next message due after *wait*.

        *attempt* replaces the present attempt, or is added when its number is new; *repairs* and
        *applied* replace those in force. A change of phase is a line of history.

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
            applied=self.applied if applied is None else applied,
            attempts=self._attempts_with(attempt, phase, now),
            waiting=waiting,
            source_verification=source_verification or self.source_verification,
            history=self.history if phase is self.phase else (*self.history, step),
        )

    def _attempts_with(
        self, attempt: Attempt | None, phase: Phase, now: datetime
    ) -> tuple[Attempt, ...]:
        attempt = attempt or (self.attempts[-1] if self.attempts else None)
        if attempt is None:
            return ()
        others = (a for a in self.attempts if a.number != attempt.number)
        return (*others, attempt.at_step(phase, now))
