"""The builds: one partition each in `Builds`, and an index by time in `BuildIndex`.

The index has a row under the definition and one under `~all`, keyed by the time of creation, which
never changes: so it is written once, before the build, and can be wrong only about builds that were
never inserted. Readers pass those over.
"""

import asyncio
from collections.abc import Iterable

from pydantic import TypeAdapter

from shared.domain.build import Build
from shared.ports import Page, Stored
from shared.records.entities import SCHEMA, entity, pack, unpack
from shared.records.keys import escape, newest_first, unescape
from shared.records.tables import Stretch, Tables

_ADAPTER = TypeAdapter(Build)
_ROW = "build"
_ALL = "~all"
_AT_ONCE = 10
"""Builds read at the same time when listing."""


class TableBuilds:
    """Implements `shared.ports.Builds`."""

    def __init__(self, tables: Tables) -> None:
        self._builds = tables.table("Builds")
        self._index = tables.table("BuildIndex")

    async def get(self, build_id: str) -> Stored[Build] | None:
        """Load a build."""
        row = await self._builds.get(escape(build_id), _ROW)
        return Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) if row else None

    async def save(self, build: Stored[Build]) -> Stored[Build]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = build.value
        columns = {"definition": value.definition, "phase": str(value.phase)}
        row = pack(_ADAPTER, value, partition=escape(value.id), row=_ROW, columns=columns)
        if not build.etag:
            for partition in (escape(value.definition), _ALL):
                await self._index.put(entity(partition, _index_row(value), {"schema": SCHEMA}))
        return Stored(value, await self._builds.save(row, build.etag))

    async def _load(self, index_rows: Iterable[str]) -> list[Build]:
        """Load the builds of *index_rows* in their order, but those never inserted like that."""
        free = asyncio.Semaphore(_AT_ONCE)

        async def load(row: str) -> Build | None:
            async with free:
                stored = await self.get(unescape(row.split("|", 1)[1]))
            return stored.value if stored and _index_row(stored.value) == row else None

        loaded = await asyncio.gather(*(load(row) for row in index_rows))
        return [build for build in loaded if build]

    async def list(self, *, definition: str = "", limit: int = 50, cursor: str = "") -> Page[Build]:
        """List builds, newest first, of one definition or of all.

        Raises BadMessageError when *cursor* is not one we gave for this list.
        """
        partition = escape(definition) if definition else _ALL
        found = await self._index.page(
            [Stretch(query="PartitionKey eq @partition", parameters={"partition": partition})],
            limit=limit,
            cursor=cursor,
            of=("builds", definition),
            select=["RowKey"],
        )
        builds = await self._load(str(row["RowKey"]) for row in found.rows)
        return Page(items=tuple(builds), cursor=found.cursor)


def _index_row(build: Build) -> str:
    return f"{newest_first(build.created_at)}|{escape(build.id)}"
