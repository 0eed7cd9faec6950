"""A sweep: what Azure Resource Graph shows is held against the register, page by page.

The subscriptions of a sweep are cut into batches, and each batch is one chain of messages. A batch
counts its turns, as a build does (`shared/domain/turns.py`), so that a repeated delivery neither
counts a page twice nor doubles the chain.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.subscription import Subscription
from shared.domain.turns import Admission, admit

STALLED = timedelta(hours=12)
"""A sweep without a page for this long is given up: one of its messages was parked or lost. A
message is put off for less than that."""

KEPT = timedelta(days=90)
"""How long what is known of a sweep is kept."""

MOST_RESTARTS = 3
"""How often a batch begins again because Azure no longer took its token."""

NOT_SHOWN = (
    "Resource Graph no longer shows this subscription, so its VMs are neither swept nor taken for "
    "gone: give the identity Assay runs as Reader on it, or leave it where it was deleted"
)
"""The problem of a subscription Assay knows and may no longer read."""


class SweepOutcome(StrEnum):
    """How a sweep, or one batch of it, stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    ABANDONED = "abandoned"
    """Nothing moved for `STALLED`, so another sweep took its place."""
    SKIPPED = "skipped"
    """The sweep before was still under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many machines and models of scale sets came off how."""

    rows: int = 0
    """Rows Resource Graph answered."""
    unchanged: int = 0
    first_seen: int = 0
    """New to us when their subscription was swept for the first time."""
    rejudged: int = 0
    """The same by Azure, but judged or owned otherwise by our own rules."""
    new: int = 0
    """Unknown to the register; like the next three confirmed by reading the machine itself."""
    changed: int = 0
    vanished: int = 0
    returned: int = 0
    """Held as deleted, and there."""
    same: int = 0
    """Seemed to differ, and did not when it was read."""
    unreadable: int = 0
    missed: int = 0
    """New, changed, vanished and returned ones, but those of a first sweep: no event told us."""

    def plus(self, other: "Tally") -> "Tally":
        """Return the sums."""
        sums = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return Tally(**sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One sweep as a whole; what was counted is with its batches."""

    id: str
    asked_by: str
    """`timer`, or who asked over the API."""
    began_at: datetime
    subscriptions: int = 0
    """How many Resource Graph showed."""
    unreadable: int = 0
    """How many we know and it did not show."""
    batches: int | None = None
    """None until the subscriptions are known."""
    ended_at: datetime | None = None
    outcome: SweepOutcome = SweepOutcome.RUNNING
    why: str = ""
    """Why it ended otherwise than done."""

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self.outcome is SweepOutcome.RUNNING

    def end(self, outcome: SweepOutcome, *, why: str = "", now: datetime) -> "Sweep":
        """Return it ended."""
        return replace(self, outcome=outcome, why=why, ended_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepBatch:
    """The subscriptions of one chain of pages, and how far it is."""

    sweep_id: str
    number: int
    subscriptions: tuple[str, ...]
    """In lower case, in order."""
    first: tuple[str, ...]
    """Those of them that were never swept before."""
    began_at: datetime
    """When the sweep began."""
    moved_at: datetime
    """When it last took a page."""
    turn: int = 0
    """Turns taken: a delivery of this turn acts."""
    pages: int = 0
    restarts: int = 0
    tally: Tally = field(default_factory=Tally)
    """What its pages count; what was read one by one is counted by `Sweeps.settled`."""
    passed_over: tuple[str, ...] = ()
    """Subscriptions of which machines that seemed to differ were not read, for none could be."""
    probed: tuple[str, ...] = ()
    """Subscriptions that could not be read of which there is a machine to try."""
    ended_at: datetime | None = None
    outcome: SweepOutcome = SweepOutcome.RUNNING
    why: str = ""

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self.outcome is SweepOutcome.RUNNING

    def admit(self, turn: int, *, guard: bool) -> Admission:
        """Tell what a delivery for *turn* may do; see `turns.admit`."""
        if not self.running:
            return Admission.DROP
        return admit(turn, taken=self.turn, guard=guard)

    def took(
        self,
        page: Tally,
        *,
        begins: bool,
        passed_over: Iterable[str] = (),
        probed: Iterable[str] = (),
        now: datetime,
    ) -> "SweepBatch":
        """Return it after a page that counts *page*; *begins* says that it was the first one.

        *passed_over* are subscriptions of which the page left machines unread, *probed* those that
        could not be read of which it has one to try.
        After a restart rows count anew. What was written before stays counted: those rows come
        out unchanged now.
        """
        before = replace(self.tally, rows=0, unchanged=0, unreadable=0) if begins else self.tally
        return replace(
            self,
            turn=self.turn + 1,
            pages=self.pages + 1,
            tally=before.plus(page),
            passed_over=tuple(sorted({*(() if begins else self.passed_over), *passed_over})),
            probed=tuple(sorted({*(() if begins else self.probed), *probed})),
            moved_at=now,
        )

    def begin_again(self, *, now: datetime) -> "SweepBatch":
        """Return it before its first page."""
        return replace(self, turn=self.turn + 1, restarts=self.restarts + 1, moved_at=now)

    def end(self, outcome: SweepOutcome, *, why: str = "", now: datetime) -> "SweepBatch":
        """Return it ended."""
        return replace(self, outcome=outcome, why=why, ended_at=now, moved_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepState:
    """Which sweep is under way, and what the last one that was done found."""

    first_began_at: datetime | None = None
    """When the first of all sweeps began, whatever became of it."""
    current: str = ""
    """Id of the sweep under way; empty for none."""
    last: str = ""
    """Id of the last one that was done."""
    last_began_at: datetime | None = None
    subscriptions: int = 0
    """How many Resource Graph showed it."""


def is_stalled(sweep: Sweep, batches: list[SweepBatch], *, now: datetime) -> bool:
    """Tell whether a sweep under way has not moved for so long that it will not go on."""
    return now - max([sweep.began_at, *(b.moved_at for b in batches)]) > STALLED


def how_it_ended(batches: list[SweepBatch]) -> tuple[SweepOutcome, str] | None:
    """Return how a sweep with these batches ended, and why; None while one is under way."""
    if any(b.running for b in batches):
        return None
    bad = [b for b in batches if b.outcome is not SweepOutcome.DONE]
    if not bad:
        return SweepOutcome.DONE, ""
    return SweepOutcome.FAILED, f"{len(bad)} of {len(batches)} batches ended early: {bad[0].why}"


def shown(known: Subscription, management_groups: tuple[str, ...]) -> Subscription:
    """Return a subscription that Resource Graph shows, under its management groups.

    A problem met when VMs were read stays until one is read again.
    """
    seen = known.readable() if known.problem == NOT_SHOWN else known
    return replace(seen, management_groups=management_groups)


def hidden(known: Subscription, *, now: datetime) -> Subscription:
    """Return a subscription that Resource Graph no longer shows."""
    return known.troubled(NOT_SHOWN, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """The part of one subscription's ids that a page tells of: above *after*, up to *up_to*."""

    subscription_id: str
    after: str = ""
    """Empty for no bound."""
    up_to: str = ""
    """Empty for no bound."""


def tiles(subscriptions: tuple[str, ...], *, after: str, up_to: str) -> list[Tile]:
    """Return what a page tells of: all ids above *after* and up to *up_to*, by subscription.

    *after* is the highest id of the pages before, *up_to* that of this page too; empty texts stand
    for no bound. Tiles of one query neither overlap nor leave ids out.
    """
    laid: list[Tile] = []
    for subscription in sorted(subscriptions):
        home = f"/subscriptions/{subscription}/"
        is_past = after > home and not after.startswith(home)
        is_ahead = bool(up_to) and up_to < home
        if not is_past and not is_ahead:
            laid.append(
                Tile(
                    subscription_id=subscription,
                    after=after if after.startswith(home) else "",
                    up_to=up_to if up_to.startswith(home) else "",
                )
            )
    return laid
