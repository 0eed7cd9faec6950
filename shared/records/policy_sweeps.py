"""The sweeps through policy states: one partition per sweep, the newest first."""

from datetime import datetime

from pydantic import TypeAdapter

from shared.domain.policy_sweep import PolicySweep
from shared.ports import Page, Stored
from shared.records.entities import pack, unpack
from shared.records.keys import escape, newest_first
from shared.records.tables import Stretch, Tables

_ADAPTER = TypeAdapter(PolicySweep)
_ALL = Stretch(query="PartitionKey ge @first", parameters={"first": ""})


class TablePolicySweeps:
    """Implements `shared.ports.PolicySweeps`."""

    def __init__(self, tables: Tables) -> None:
        self._sweeps = tables.table("PolicySweeps")

    async def get(self, began_at: datetime, subscription_id: str) -> Stored[PolicySweep] | None:
        """Load a sweep through one subscription."""
        row = await self._sweeps.get(newest_first(began_at), escape(subscription_id))
        return Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) if row else None

    async def save(self, sweep: Stored[PolicySweep]) -> Stored[PolicySweep]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = sweep.value
        partition, name = newest_first(value.began_at), escape(value.subscription_id)
        row = pack(_ADAPTER, value, partition=partition, row=name)
        return Stored(value, await self._sweeps.save(row, sweep.etag))

    async def list(self, *, limit: int = 100, cursor: str = "") -> Page[PolicySweep]:
        """List them, the newest sweep first, by subscription.

        Raises BadMessageError when *cursor* is not one we gave.
        """
        found = await self._sweeps.page([_ALL], limit=limit, cursor=cursor, of=("policy sweeps",))
        return Page(items=tuple(unpack(_ADAPTER, row) for row in found.rows), cursor=found.cursor)

    async def forget(self, *, before: datetime) -> None:
        """Drop the sweeps that began before then."""
        old = Stretch(query="PartitionKey gt @newest", parameters={"newest": newest_first(before)})
        for row in await self._sweeps.all(old, select=["PartitionKey", "RowKey"]):
            await self._sweeps.delete(str(row["PartitionKey"]), str(row["RowKey"]))
