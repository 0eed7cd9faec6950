"""How the builds of each definition go, and whether it is paused: one row per definition."""

from pydantic import TypeAdapter

from shared.domain.definition_state import DefinitionState
from shared.ports import Stored
from shared.records.entities import pack, unpack
from shared.records.keys import escape
from shared.records.tables import Tables

_ADAPTER = TypeAdapter(DefinitionState)
_ROW = "state"


class TableDefinitionStates:
    """Implements `shared.ports.DefinitionStates`."""

    def __init__(self, tables: Tables) -> None:
        self._states = tables.table("DefinitionStates")

    async def get(self, definition: str) -> Stored[DefinitionState] | None:
        """Load the state; None as long as no build of the definition has ended."""
        row = await self._states.get(escape(definition), _ROW)
        return Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) if row else None

    async def save(self, state: Stored[DefinitionState]) -> Stored[DefinitionState]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = state.value
        row = pack(_ADAPTER, value, partition=escape(value.definition), row=_ROW)
        return Stored(value, await self._states.save(row, state.etag))
