"""Snapshots of the fleet.

* `<hourly|daily>|all` and `<hourly|daily>|team|<team>`, row `<time, the newest first>`: finished.
* `partial|<hour>`: one in the making; row `progress` and, per counted page, rows `page|<number>|…`.

The rows of a page and the progress that counts it are written in one transaction, under the ETag
of the progress: a page is in it once, whoever else counts the same one.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from itertools import batched

from shared.domain.snapshot import ALL, Dimension, Grain, Part, Snapshot
from shared.errors import ConflictError
from shared.ports import Page, Stored
from shared.ports.snapshots import Progress
from shared.records.entities import pack, unpack
from shared.records.snapshot_rows import (
    PROGRESS,
    columns_of,
    floor,
    page_rows,
    partition_of,
    progress_partition,
    read_pages,
    read_snapshot,
    row_of,
    snapshot_row,
)
from shared.records.tables import Operation, Stretch, Tables
from shared.records.vm_rows import REPLACE, under

_PROGRESS_ROW = "progress"
_AT_ONCE = 16
"""Rows written or deleted side by side."""
_SWEPT_ROWS = 200


class TableSnapshots:
    """Implements `shared.ports.Snapshots`."""

    def __init__(self, tables: Tables) -> None:
        self._table = tables.table("Snapshots")

    async def progress(self, at: datetime) -> Stored[Progress] | None:
        """Return how far the snapshot of an hour is; None when none is being made."""
        row = await self._table.get(progress_partition(at), _PROGRESS_ROW)
        return Stored(unpack(PROGRESS, row), str(row.metadata["etag"])) if row else None

    async def add_page(self, progress: Stored[Progress], page: Part) -> None:
        """Keep a counted page, and *progress* one page further, in one transaction."""
        partition = progress_partition(progress.value.at)
        row = pack(PROGRESS, progress.value, partition=partition, row=_PROGRESS_ROW)
        first: Operation = ("create", row)
        if progress.etag:
            first = ("update", row, REPLACE | under(progress.etag))
        pages = page_rows(partition, progress.value.pages, page)
        await self._table.commit([first, *(("upsert", made, REPLACE) for made in pages)])

    async def pages(self, progress: Progress) -> list[Part]:
        """Return every counted page.

        Raises ConflictError when some are gone: another delivery is finishing the snapshot.
        """
        pages = read_pages(await self._table.all(_pages_of(progress.at)))
        if len(pages) != progress.pages:
            raise ConflictError(
                f"the snapshot of {progress.at:%Y-%m-%d %H:%M} has {len(pages)} of its "
                f"{progress.pages} pages; another delivery finishes it"
            )
        return pages

    async def keep(self, grain: Grain, snapshots: Sequence[Snapshot]) -> None:
        """Keep finished snapshots, the last one when all others are kept."""
        for some in batched(snapshots[:-1], _AT_ONCE, strict=False):
            await asyncio.gather(*(self._keep(grain, snapshot) for snapshot in some))
        await self._keep(grain, snapshots[-1])

    async def clear_progress(self, at: datetime) -> None:
        """Forget the snapshot in the making for an hour; its progress goes last."""
        rows = await self._table.all(_pages_of(at), select=["PartitionKey", "RowKey"])
        partition = progress_partition(at)
        await self._delete([(partition, str(row["RowKey"])) for row in rows])
        await self._table.delete(partition, _PROGRESS_ROW)

    async def get(self, grain: Grain, at: datetime, *, team: str = ALL) -> Snapshot | None:
        """Return the snapshot of an hour, or the one that stands for the UTC day of *at*."""
        row = await self._table.get(partition_of(grain, team), row_of(grain, at))
        return read_snapshot(row) if row else None

    async def newest(self, *, team: str = ALL) -> Snapshot | None:
        """Return the newest hourly snapshot of a scope."""
        partition = partition_of(Grain.HOUR, team)
        stretch = Stretch(query="PartitionKey eq @scope", parameters={"scope": partition})
        found = await self._table.page([stretch], limit=1, cursor="", of=("newest", partition))
        return read_snapshot(found.rows[0]) if found.rows else None

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
        """List snapshots taken for a time from *since* on and before *before*, newest first."""
        stretch = _between(grain, team, since, before)
        found = await self._table.page(
            [stretch],
            limit=limit,
            cursor=cursor,
            of=("series", repr(stretch)),
            select=columns_of(dimensions),
        )
        return Page(items=tuple(read_snapshot(row) for row in found.rows), cursor=found.cursor)

    async def sweep(self, grain: Grain, *, before: datetime, most: int) -> None:
        """Forget the snapshots, of all scopes, of at most *most* times before then.

        That of the whole fleet names the teams, so it goes last.
        """
        stretch = Stretch(
            query="PartitionKey eq @scope and RowKey gt @row",
            parameters={"scope": partition_of(grain, ALL), "row": row_of(grain, before)},
        )
        found = await self._table.page(
            [stretch],
            limit=most,
            cursor="",
            of=("old snapshots",),
            select=columns_of([Dimension.TEAM]),
        )
        for row in found.rows:
            name = str(row["RowKey"])
            teams = read_snapshot(row).tally.by.get(Dimension.TEAM, {})
            await self._delete([(partition_of(grain, team), name) for team in teams])
            await self._table.delete(partition_of(grain, ALL), name)

    async def sweep_progress(self, *, before: datetime) -> None:
        """Forget some of what is left of snapshots that were begun before then and never ended."""
        stretch = Stretch(
            query="PartitionKey ge @first and PartitionKey lt @end",
            parameters={"first": "partial|", "end": progress_partition(before)},
        )
        found = await self._table.page(
            [stretch],
            limit=_SWEPT_ROWS,
            cursor="",
            of=("old progress",),
            select=["PartitionKey", "RowKey"],
        )
        await self._delete([(str(r["PartitionKey"]), str(r["RowKey"])) for r in found.rows])

    async def _keep(self, grain: Grain, snapshot: Snapshot) -> None:
        row = snapshot_row(grain, snapshot)
        if grain is Grain.HOUR:
            await self._table.put(row)
            return
        with suppress(ConflictError):  # the day has its snapshot, and the first one stays
            await self._table.save(row, "")

    async def _delete(self, rows: Sequence[tuple[str, str]]) -> None:
        for some in batched(rows, _AT_ONCE, strict=False):
            await asyncio.gather(*(self._table.delete(*row) for row in some))


def _pages_of(at: datetime) -> Stretch:
    return Stretch(
        query="PartitionKey eq @partition and RowKey lt @end",
        parameters={"partition": progress_partition(at), "end": _PROGRESS_ROW},
    )


def _between(grain: Grain, team: str, since: datetime, before: datetime) -> Stretch:
    """Return the query; a day counts from its beginning, and rows sort with the newest first."""
    newest = row_of(Grain.HOUR, before)
    return Stretch(
        query="PartitionKey eq @scope and RowKey gt @newest and RowKey le @oldest",
        parameters={
            "scope": partition_of(grain, team),
            "newest": newest,
            "oldest": row_of(Grain.HOUR, floor(grain, since)),
        },
    )
