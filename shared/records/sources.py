"""What was last seen of each Marketplace source: one row per URN."""

from pydantic import TypeAdapter

from shared.ports import SourceRecord, Stored
from shared.records.entities import pack, unpack
from shared.records.keys import escape
from shared.records.tables import Tables

_ADAPTER = TypeAdapter(SourceRecord)
_ROW = "source"


class TableSources:
    """Implements `shared.ports.Sources`; URNs are compared in lower case."""

    def __init__(self, tables: Tables) -> None:
        self._sources = tables.table("Sources")

    async def get(self, urn: str) -> Stored[SourceRecord] | None:
        """Load what was last seen."""
        row = await self._sources.get(escape(urn.lower()), _ROW)
        return Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) if row else None

    async def save(self, record: Stored[SourceRecord]) -> Stored[SourceRecord]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = record.value
        row = pack(_ADAPTER, value, partition=escape(value.urn.lower()), row=_ROW)
        return Stored(value, await self._sources.save(row, record.etag))
