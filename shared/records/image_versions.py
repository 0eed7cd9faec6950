"""The register of image versions: one partition per definition, rows in the order of versions."""

from pydantic import TypeAdapter

from shared.domain.image_version import ImageVersion
from shared.ports import Stored
from shared.records.entities import pack, unpack
from shared.records.keys import escape, version_row
from shared.records.tables import Stretch, Tables

_ADAPTER = TypeAdapter(ImageVersion)


class TableImageVersions:
    """Implements `shared.ports.ImageVersions`."""

    def __init__(self, tables: Tables) -> None:
        self._versions = tables.table("ImageVersions")

    async def get(self, definition: str, version: str) -> Stored[ImageVersion] | None:
        """Load a version."""
        row = await self._versions.get(escape(definition), version_row(version))
        return Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) if row else None

    async def save(self, version: Stored[ImageVersion]) -> Stored[ImageVersion]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = version.value
        row = pack(
            _ADAPTER,
            value,
            partition=escape(value.definition),
            row=version_row(value.version),
            columns={"version": value.version, "state": str(value.state)},
        )
        return Stored(value, await self._versions.save(row, version.etag))

    async def list(self, definition: str) -> list[Stored[ImageVersion]]:
        """List every version of a definition, highest number first."""
        partition = {"partition": escape(definition)}
        rows = await self._versions.all(
            Stretch(query="PartitionKey eq @partition", parameters=partition)
        )
        return [Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) for row in reversed(rows)]
