"""The sweeps: one partition each in `Sweeps`, and an index by time in `SweepIndex`.

Rows of a sweep: `sweep`, `batch|<number>`, and `count|<part>` for what was counted one by one; a
part that is counted again finds its row there. The partition `~state` says which sweep is under
way. A sweep's place in the index never changes, so it is written once, before the sweep.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from azure.data.tables import TableEntity
from pydantic import TypeAdapter

from shared.domain.sweep import Sweep, SweepBatch, SweepState, Tally
from shared.errors import ConflictError
from shared.ports import Page, Stored, SweepReport
from shared.records.entities import SCHEMA, entity, pack, unpack
from shared.records.keys import escape, newest_first, unescape
from shared.records.tables import Stretch, Tables

_SWEEP = TypeAdapter(Sweep)
_BATCH = TypeAdapter(SweepBatch)
_STATE = TypeAdapter(SweepState)
_TALLY = TypeAdapter(Tally)
_ALL = "~all"
_AT_ONCE = 10
"""Sweeps read at the same time when listing."""


class TableSweeps:
    """Implements `shared.ports.Sweeps`."""

    def __init__(self, tables: Tables) -> None:
        self._sweeps = tables.table("Sweeps")
        self._index = tables.table("SweepIndex")

    async def state(self) -> Stored[SweepState]:
        """Load which sweep is under way; a blank state when there never was one."""
        row = await self._sweeps.get("~state", "state")
        if row is None:
            return Stored(SweepState())
        return Stored(unpack(_STATE, row), str(row.metadata["etag"]))

    async def save_state(self, state: Stored[SweepState]) -> Stored[SweepState]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        row = pack(_STATE, state.value, partition="~state", row="state")
        return Stored(state.value, await self._sweeps.save(row, state.etag))

    async def get(self, sweep_id: str) -> Stored[Sweep] | None:
        """Load a sweep."""
        row = await self._sweeps.get(escape(sweep_id), "sweep")
        return Stored(unpack(_SWEEP, row), str(row.metadata["etag"])) if row else None

    async def save(self, sweep: Stored[Sweep]) -> Stored[Sweep]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = sweep.value
        if not sweep.etag:
            await self._index.put(entity(_ALL, _index_row(value), {"schema": SCHEMA}))
        row = pack(_SWEEP, value, partition=escape(value.id), row="sweep")
        return Stored(value, await self._sweeps.save(row, sweep.etag))

    async def batches(self, sweep_id: str) -> list[Stored[SweepBatch]]:
        """List the batches of a sweep, by number."""
        rows = await self._rows(sweep_id, "batch")
        return [Stored(unpack(_BATCH, row), str(row.metadata["etag"])) for row in rows]

    async def batch(self, sweep_id: str, number: int) -> Stored[SweepBatch] | None:
        """Load a batch."""
        row = await self._sweeps.get(escape(sweep_id), _batch_row(number))
        return Stored(unpack(_BATCH, row), str(row.metadata["etag"])) if row else None

    async def save_batch(self, batch: Stored[SweepBatch]) -> Stored[SweepBatch]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = batch.value
        row = pack(_BATCH, value, partition=escape(value.sweep_id), row=_batch_row(value.number))
        return Stored(value, await self._sweeps.save(row, batch.etag))

    async def count(self, sweep_id: str, part: str, tally: Tally) -> None:
        """Count *tally* for a *part* of the work; what was counted for it first stays."""
        row = pack(_TALLY, tally, partition=escape(sweep_id), row=f"count|{escape(part)}")
        with suppress(ConflictError):  # a repeat: its first delivery has counted
            await self._sweeps.save(row, "")

    async def report(self, sweep_id: str) -> SweepReport | None:
        """Read everything kept of a sweep."""
        rows = await self._rows(sweep_id, "")
        by_sort: dict[str, list[TableEntity]] = {"sweep": [], "batch": [], "count": []}
        for row in rows:
            by_sort[str(row["RowKey"]).partition("|")[0]].append(row)
        if not by_sort["sweep"]:
            return None
        batches = tuple(unpack(_BATCH, row) for row in by_sort["batch"])
        tally = Tally()
        for part in (*(b.tally for b in batches), *(unpack(_TALLY, r) for r in by_sort["count"])):
            tally = tally.plus(part)
        return SweepReport(sweep=unpack(_SWEEP, by_sort["sweep"][0]), batches=batches, tally=tally)

    async def list(self, *, limit: int = 20, cursor: str = "") -> Page[SweepReport]:
        """List sweeps, the newest first.

        Raises BadMessageError when *cursor* is not one we gave for this list.
        """
        found = await self._index.page(
            [Stretch(query="PartitionKey eq @partition", parameters={"partition": _ALL})],
            limit=limit,
            cursor=cursor,
            of=("sweeps",),
            select=["RowKey"],
        )
        free = asyncio.Semaphore(_AT_ONCE)

        async def load(row: str) -> SweepReport | None:
            async with free:
                report = await self.report(unescape(row.split("|", 1)[1]))
            return report if report and _index_row(report.sweep) == row else None

        loaded = await asyncio.gather(*(load(str(row["RowKey"])) for row in found.rows))
        return Page(items=tuple(report for report in loaded if report), cursor=found.cursor)

    async def _rows(self, sweep_id: str, start: str) -> Sequence[TableEntity]:
        query = "PartitionKey eq @sweep"
        parameters = {"sweep": escape(sweep_id)}
        if start:
            query += " and RowKey ge @start and RowKey lt @end"
            parameters |= {"start": f"{start}|", "end": f"{start}}}"}
        return await self._sweeps.all(Stretch(query=query, parameters=parameters))


def _batch_row(number: int) -> str:
    return f"batch|{number:06d}"


def _index_row(sweep: Sweep) -> str:
    return f"{newest_first(sweep.began_at)}|{escape(sweep.id)}"
