"""The channels of every image: one row per definition.

A move takes about 400 bytes of the 1 MiB a row may have, so the history of a channel is kept whole:
a release a day fills it in three years and more.
"""

from pydantic import TypeAdapter

from shared.domain.channel import ImageChannels
from shared.ports import Stored
from shared.records.entities import pack, unpack
from shared.records.keys import escape
from shared.records.tables import Tables

_ADAPTER = TypeAdapter(ImageChannels)
_ROW = "channels"


class TableChannels:
    """Implements `shared.ports.Channels`."""

    def __init__(self, tables: Tables) -> None:
        self._channels = tables.table("Channels")

    async def get(self, definition: str) -> Stored[ImageChannels] | None:
        """Load the channels of a definition."""
        row = await self._channels.get(escape(definition), _ROW)
        return Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) if row else None

    async def save(self, channels: Stored[ImageChannels]) -> Stored[ImageChannels]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = channels.value
        row = pack(_ADAPTER, value, partition=escape(value.definition), row=_ROW)
        return Stored(value, await self._channels.save(row, channels.etag))
