"""The records of exports: one row each, in one partition, for people ask for few."""

from datetime import datetime

from pydantic import TypeAdapter

from shared.ports import Export, Page, Stored
from shared.records.entities import pack, unpack
from shared.records.keys import escape
from shared.records.tables import Stretch, Tables
from shared.records.vm_index import NEVER, to_minutes

_ADAPTER = TypeAdapter(Export)
_PARTITION = "export"


class TableExports:
    """Implements `shared.ports.Exports`."""

    def __init__(self, tables: Tables) -> None:
        self._exports = tables.table("Exports")

    async def get(self, export_id: str) -> Stored[Export] | None:
        """Load one."""
        row = await self._exports.get(_PARTITION, escape(export_id))
        return Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) if row else None

    async def save(self, export: Stored[Export]) -> Stored[Export]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = export.value
        columns = {"expires": to_minutes(value.expires_at, missing=NEVER)}
        row = pack(_ADAPTER, value, partition=_PARTITION, row=escape(value.id), columns=columns)
        return Stored(value, await self._exports.save(row, export.etag))

    async def expired(self, *, now: datetime, limit: int) -> Page[Export]:
        """List exports that have expired."""
        stretch = Stretch(
            query="PartitionKey eq @partition and expires lt @now",
            parameters={"partition": _PARTITION, "now": to_minutes(now, missing=NEVER)},
        )
        found = await self._exports.page([stretch], limit=limit, cursor="", of=("expired",))
        return Page(items=tuple(unpack(_ADAPTER, r) for r in found.rows), cursor=found.cursor)

    async def remove(self, export_id: str) -> None:
        """Forget one; no error when it is gone already."""
        await self._exports.delete(_PARTITION, escape(export_id))
