"""Snapshots in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.snapshot import ALL, Dimension, Grain, Part, Snapshot
from shared.errors import ConflictError
from shared.ports import Page, Progress, Stored
from shared.records.snapshot_rows import floor
from tests.fakes.shelf import Shelf, page_of

type _Key = tuple[Grain, str, datetime]


class MemorySnapshots:
    """Implements `shared.ports.Snapshots`."""

    def __init__(self) -> None:
        self._progress = Shelf[Progress]()
        self._pages: dict[datetime, dict[int, Part]] = {}
        self._kept: dict[_Key, Snapshot] = {}

    async def progress(self, at: datetime) -> Stored[Progress] | None:
        return self._progress.get(at.isoformat())

    async def add_page(self, progress: Stored[Progress], page: Part) -> None:
        value = progress.value
        self._progress.save(value.at.isoformat(), progress)
        self._pages.setdefault(value.at, {})[value.pages] = page

    async def pages(self, progress: Progress) -> list[Part]:
        pages = self._pages.get(progress.at, {})
        if len(pages) != progress.pages:
            raise ConflictError("another delivery finishes it")
        return [pages[number] for number in sorted(pages)]

    async def keep(self, grain: Grain, snapshots: Sequence[Snapshot]) -> None:
        for snapshot in snapshots:
            key = (grain, snapshot.team, floor(grain, snapshot.at))
            if grain is Grain.HOUR or key not in self._kept:
                self._kept[key] = snapshot

    async def clear_progress(self, at: datetime) -> None:
        self._pages.pop(at, None)
        self._progress.remove(at.isoformat())

    async def get(self, grain: Grain, at: datetime, *, team: str = ALL) -> Snapshot | None:
        return self._kept.get((grain, team, floor(grain, at)))

    async def newest(self, *, team: str = ALL) -> Snapshot | None:
        hourly = [
            s for (grain, scope, _), s in self._kept.items() if (grain, scope) == ("hour", team)
        ]
        return max(hourly, key=lambda s: s.at, default=None)

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
        found = [
            (at, _only(snapshot, dimensions))
            for (of, scope, at), snapshot in self._kept.items()
            if (of, scope) == (grain, team) and floor(grain, since) <= at < before
        ]
        found.sort(key=lambda pair: pair[0], reverse=True)
        name = f"series {grain} {team} {since} {before}"
        return page_of([s for _, s in found], of=name, limit=limit, cursor=cursor)

    async def sweep(self, grain: Grain, *, before: datetime, most: int) -> None:
        edge = floor(grain, before)
        old = {at for (of, scope, at) in self._kept if of is grain and scope == ALL and at < edge}
        going = sorted(old, reverse=True)[:most]
        self._kept = {
            key: kept
            for key, kept in self._kept.items()
            if key[0] is not grain or key[2] not in going
        }

    async def sweep_progress(self, *, before: datetime) -> None:
        for stored in self._progress.values():
            if stored.value.at < before:
                await self.clear_progress(stored.value.at)


def _only(snapshot: Snapshot, dimensions: Sequence[Dimension]) -> Snapshot:
    by = {d: counts for d, counts in snapshot.tally.by.items() if d in dimensions}
    return replace(snapshot, tally=replace(snapshot.tally, by=by))
