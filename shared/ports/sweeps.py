"""What a sweep asks of Azure Resource Graph, and what is kept of sweeps."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from shared.domain.sweep import Sweep, SweepBatch, SweepState, Tally
from shared.domain.vm_record import VmFacts
from shared.ports.values import Page, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSubscription:
    """A subscription our identity may read."""

    subscription_id: str
    """Lower case."""
    management_groups: tuple[str, ...]
    """Names in lower case, the nearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSubscriptions:
    """The subscriptions our identity may read."""

    subscriptions: tuple[ShownSubscription, ...]
    whole: bool = True
    """False when Azure cut the list, so that one missing from it means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinesPage:
    """Some machines; *token* asks for those after them, empty on the last page."""

    machines: tuple[VmFacts, ...]
    """Images as the references say, whether exact or not. A Uniform instance has its own tags
    only: those of its scale set are with that."""
    token: str = ""
    wait: timedelta = timedelta()
    """How long to let Resource Graph be before it is asked again."""


class ResourceGraph(Protocol):
    """Azure Resource Graph: every subscription our identity may read, a little late."""

    async def subscriptions(self) -> ShownSubscriptions:
        """List the subscriptions we may read; others are left out without a word."""

    async def machines(
        self, subscription_ids: tuple[str, ...], rank: int, *, token: str = ""
    ) -> MachinesPage | None:
        """List up to 1,000 machines run in one of `RANKS[rank]`, in the order of their ids.

        Subscriptions we may not read are left out. None when Azure no longer takes *token*.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """Everything kept of one sweep."""

    sweep: Sweep
    batches: tuple[SweepBatch, ...]
    tally: Tally
    """All that was counted, page by page and one by one."""


class Sweeps(Protocol):
    """The sweeps, by id, each with its batches and what was counted."""

    async def state(self) -> Stored[SweepState]:
        """Load which sweep is under way; a blank state when there never was one."""

    async def save_state(self, state: Stored[SweepState]) -> Stored[SweepState]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""

    async def get(self, sweep_id: str) -> Stored[Sweep] | None:
        """Load a sweep."""

    async def save(self, sweep: Stored[Sweep]) -> Stored[Sweep]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""

    async def batches(self, sweep_id: str) -> list[Stored[SweepBatch]]:
        """List the batches of a sweep, by number."""

    async def batch(self, sweep_id: str, number: int) -> Stored[SweepBatch] | None:
        """Load a batch."""

    async def save_batch(self, batch: Stored[SweepBatch]) -> Stored[SweepBatch]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""

    async def count(self, sweep_id: str, part: str, tally: Tally) -> None:
        """Count *tally* for a *part* of the work; what was counted for it first stays."""

    async def report(self, sweep_id: str) -> SweepReport | None:
        """Read everything kept of a sweep."""

    async def list(self, *, limit: int = 20, cursor: str = "") -> Page[SweepReport]:
        """List sweeps, the newest first.

        Raises BadMessageError when *cursor* is not one we gave for this list.
        """
