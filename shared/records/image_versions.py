"""The register of image versions: one partition per definition, rows in the order of versions.

`VersionChildren` has, for each version that others were built from, a partition with a row for
each of those. A version's parent never changes, so its row there is written once, before the
version, and can be wrong only about versions that were never inserted. Readers pass those over.
"""

import asyncio
from collections.abc import Sequence

from pydantic import TypeAdapter

from shared.domain.image_version import ImageVersion
from shared.ports import Stored
from shared.records.entities import SCHEMA, Column, entity, pack, unpack
from shared.records.keys import escape, version_row
from shared.records.tables import Stretch, Tables

_ADAPTER = TypeAdapter(ImageVersion)
_AT_ONCE = 10
"""Versions read at the same time when listing children."""


class TableImageVersions:
    """Implements `shared.ports.ImageVersions`."""

    def __init__(self, tables: Tables) -> None:
        self._versions = tables.table("ImageVersions")
        self._children = tables.table("VersionChildren")

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
        if value.parent and not version.etag:
            partition = _family(value.parent.definition, value.parent.version)
            index_row = f"{escape(value.definition)}|{version_row(value.version)}"
            columns: dict[str, Column] = {
                "definition": value.definition,
                "version": value.version,
                "schema": SCHEMA,
            }
            await self._children.put(entity(partition, index_row, columns))
        return Stored(value, await self._versions.save(row, version.etag))

    async def list(self, definition: str) -> list[Stored[ImageVersion]]:
        """List every version of a definition, highest number first."""
        partition = {"partition": escape(definition)}
        rows = await self._versions.all(
            Stretch(query="PartitionKey eq @partition", parameters=partition)
        )
        return [Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) for row in reversed(rows)]

    async def children(
        self, definition: str, version: str, *, limit: int
    ) -> Sequence[ImageVersion]:
        """List versions built right from this one, by definition and number, at most *limit*."""
        of = ("children", definition, version)
        partition = {"partition": _family(definition, version)}
        stretch = Stretch(query="PartitionKey eq @partition", parameters=partition)
        found: list[ImageVersion] = []
        cursor = ""
        while len(found) < limit:
            page = await self._children.page([stretch], limit=limit, cursor=cursor, of=of)
            names = [(str(row["definition"]), str(row["version"])) for row in page.rows]
            loaded = await self._load(names)
            found += [v for v in loaded if _is_child(v, definition, version)]
            cursor = page.cursor
            if not cursor:
                break
        return found[:limit]

    async def _load(self, names: Sequence[tuple[str, str]]) -> Sequence[ImageVersion]:
        """Load the versions called *names* in their order, passing over those never inserted."""
        free = asyncio.Semaphore(_AT_ONCE)

        async def load(definition: str, version: str) -> ImageVersion | None:
            async with free:
                stored = await self.get(definition, version)
            return stored.value if stored else None

        loaded = await asyncio.gather(*(load(*name) for name in names))
        return [version for version in loaded if version]


def _family(definition: str, version: str) -> str:
    """Return the partition of a version's children."""
    return f"{escape(definition)}|{version_row(version)}"


def _is_child(child: ImageVersion, definition: str, version: str) -> bool:
    parent = child.parent
    return parent is not None and (parent.definition, parent.version) == (definition, version)
