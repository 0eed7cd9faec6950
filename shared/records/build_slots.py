"""Who builds and who waits for a place to: one row per subscription and region."""

from pydantic import TypeAdapter

from shared.domain.slots import Slots
from shared.ports import Stored
from shared.records.entities import pack, unpack
from shared.records.keys import escape
from shared.records.tables import Tables

_ADAPTER = TypeAdapter(Slots)
_ROW = "slots"


class TableBuildSlots:
    """Implements `shared.ports.BuildSlots`."""

    def __init__(self, tables: Tables) -> None:
        self._slots = tables.table("BuildSlots")

    async def get(self, scope: str) -> Stored[Slots] | None:
        """Load the seats and the line of *scope*."""
        row = await self._slots.get(escape(scope.lower()), _ROW)
        return Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) if row else None

    async def save(self, slots: Stored[Slots]) -> Stored[Slots]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = slots.value
        row = pack(_ADAPTER, value, partition=escape(value.scope.lower()), row=_ROW)
        return Stored(value, await self._slots.save(row, slots.etag))
