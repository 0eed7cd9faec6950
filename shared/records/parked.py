"""Messages that could not be done: one partition, rows in the order of their ids.

Ids sort by time, so that the oldest comes first.
"""

from pydantic import TypeAdapter

from shared.ports import Page, ParkedMessage
from shared.records.entities import pack, unpack
from shared.records.keys import escape
from shared.records.tables import Stretch, Tables

_ADAPTER = TypeAdapter(ParkedMessage)
_PARTITION = "parked"


class TableParked:
    """Implements `shared.ports.Parked`."""

    def __init__(self, tables: Tables) -> None:
        self._messages = tables.table("ParkedMessages")

    async def park(self, message: ParkedMessage) -> None:
        """Keep *message*; keeping it again under the same id replaces it."""
        columns = {"queue": message.queue, "kind": message.kind}
        row = pack(_ADAPTER, message, partition=_PARTITION, row=escape(message.id), columns=columns)
        await self._messages.put(row)

    async def get(self, message_id: str) -> ParkedMessage | None:
        """Load one."""
        row = await self._messages.get(_PARTITION, escape(message_id))
        return unpack(_ADAPTER, row) if row else None

    async def list(self, *, limit: int = 50, cursor: str = "") -> Page[ParkedMessage]:
        """List them, in the order of their ids.

        Raises BadMessageError when *cursor* is not one we gave.
        """
        found = await self._messages.page(
            [Stretch(query="PartitionKey eq @partition", parameters={"partition": _PARTITION})],
            limit=limit,
            cursor=cursor,
            of=("parked",),
        )
        return Page(items=tuple(unpack(_ADAPTER, row) for row in found.rows), cursor=found.cursor)

    async def remove(self, message_id: str) -> None:
        """Forget one; no error when it is gone already."""
        await self._messages.delete(_PARTITION, escape(message_id))
