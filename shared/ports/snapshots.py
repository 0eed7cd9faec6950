"""Snapshots of the fleet: the numbers reports are made of, hour by hour and day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.snapshot import ALL, Dimension, Grain, Part, Snapshot
from shared.ports.values import Page, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the snapshot of one hour is."""

    at: datetime
    """The hour it is for."""
    as_of: datetime
    """When counting began."""
    pages: int = 0
    """Pages of the register that are counted and kept."""
    cursor: str = ""
    """Where the next page begins; empty before the first and after the last."""

    @property
    def counted(self) -> bool:
        """Whether the whole register is counted."""
        return self.pages > 0 and not self.cursor


class Snapshots(Protocol):
    """Finished snapshots by grain, scope and time; and those still being counted, by hour.

    A snapshot in the making has a place of its own for every hour, so two never mix.
    """

    async def progress(self, at: datetime) -> Stored[Progress] | None:
        """Return how far the snapshot of an hour is; None when none is being made."""

    async def add_page(self, progress: Stored[Progress], page: Part) -> None:
        """Keep a counted page, and *progress* one page further, in one transaction.

        Raises ConflictError when another delivery was first: then nothing is kept.
        """

    async def pages(self, progress: Progress) -> list[Part]:
        """Return every counted page.

        Raises ConflictError when some are gone: another delivery is finishing the snapshot.
        """

    async def keep(self, grain: Grain, snapshots: Sequence[Snapshot]) -> None:
        """Keep finished snapshots in their order.

        One of an hour replaces itself; of those of one UTC day and scope the first one stays.
        """

    async def clear_progress(self, at: datetime) -> None:
        """Forget the snapshot in the making for an hour; no error when there is none."""

    async def get(self, grain: Grain, at: datetime, *, team: str = ALL) -> Snapshot | None:
        """Return the snapshot of an hour, or the one that stands for the UTC day of *at*."""

    async def newest(self, *, team: str = ALL) -> Snapshot | None:
        """Return the newest hourly snapshot of a scope."""

    async def series(
        self,
        grain: Grain,
        dimensions: Sequence[Dimension],
        *,
        since: datetime,
        before: datetime,
        team: str = ALL,
        limit: int = 100,
        cursor: str = "",
    ) -> Page[Snapshot]:
        """List snapshots taken for a time from *since* on and before *before*, newest first.

        Each is read in *dimensions* alone; its sums are always there.
        """

    async def sweep(self, grain: Grain, *, before: datetime, most: int) -> None:
        """Forget the snapshots, of all scopes, of at most *most* times before then."""

    async def sweep_progress(self, *, before: datetime) -> None:
        """Forget some of what is left of snapshots that were begun before then and never ended."""
