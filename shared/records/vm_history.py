"""What happened to the VMs of a team and of an image: rows of `History`.

* `team|<team>|<shard>` and `image|<digest of image id>|<shard>`,
  row `<inverted time>|<key>|<inverted number>`.

A line goes to the team and the image a VM had before and to those it had after, so that one that
left is not missed. A release ages a whole fleet within minutes: eight shards take eight times what
one partition does; a page is merged from all of them.
"""

import asyncio
import heapq
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from azure.data.tables import UpdateMode
from pydantic import TypeAdapter

from shared.domain.history import Transition, VmLine
from shared.domain.identifiers import digest, normalise_id
from shared.domain.vm_record import VmRecord
from shared.errors import BadMessageError
from shared.ports import LinesPage
from shared.records.entities import Entity, pack, unpack
from shared.records.keys import escape, newest_first
from shared.records.tables import MAX_OPERATIONS, Stretch, Tables
from shared.records.vm_index import END, shard_of

SHARDS = 8

LINE = TypeAdapter(VmLine)
TRANSITION = TypeAdapter(Transition)

_LAST_NUMBER = 10**8 - 1
"""The number no line reaches."""
_FIRST, _LAST = "transition|", "transition}"
"""Bounds of the rows of lines in a VM's own partition."""


_ROW = re.compile(r"\d{18}\|[^|]+\|\d{8}")
"""What `line_row` writes, and a page goes on before."""


def check_before(before: str) -> None:
    """Raise BadMessageError when a page cannot go on *before* there; an empty one is the start."""
    if before and not _ROW.fullmatch(before):
        raise BadMessageError(
            f"cursor {before[:40]!r} is not one this history gave; start again without one"
        )


def team_scope(team: str) -> str:
    """Return the name of a team's history."""
    return f"team|{escape(team.lower())}"


def image_scope(image_id: str) -> str:
    """Return the name of an image's history."""
    return f"image|{digest(normalise_id(image_id))}"


def scopes_of(*records: VmRecord | None) -> list[str]:
    """Return the histories that what happened between *records* belongs to."""
    known = [r for r in records if r]
    teams = {team_scope(r.team) for r in known}
    images = {image_scope(r.image.image_id) for r in known if r.image.image_id}
    return sorted(teams | images)


def transition_row(line: VmLine, scopes: Sequence[str]) -> Entity:
    """Return the row of a line in the VM's own partition; it names the histories it belongs to."""
    columns = {
        "scopes": json.dumps(scopes),
        "team": line.team,
        "definition": line.definition,
        "version": line.version,
        "resource_id": line.resource_id,
    }
    row = f"{_FIRST}{line.number:08d}"
    return pack(TRANSITION, line.transition, partition=escape(line.key), row=row, columns=columns)


def read_transition(key: str, row: Mapping[str, Any]) -> tuple[VmLine, list[str]]:
    """Read a row that `transition_row` made: the line, and its histories."""
    line = VmLine(
        key=key,
        resource_id=row["resource_id"],
        number=int(str(row["RowKey"]).removeprefix(_FIRST)),
        team=row["team"],
        definition=row["definition"],
        version=row["version"],
        transition=unpack(TRANSITION, row),
    )
    return line, json.loads(row["scopes"])


def own_lines(key: str, *, first: int = 0) -> Stretch:
    """Return the query for the lines of a VM in its own partition, from number *first* on."""
    return Stretch(
        query="PartitionKey eq @key and RowKey ge @first and RowKey lt @end",
        parameters={"key": escape(key), "first": f"{_FIRST}{first:08d}", "end": _LAST},
    )


class VmHistory:
    """The histories of teams and images."""

    def __init__(self, tables: Tables) -> None:
        self.table = tables.table("History")

    async def write(self, lines: Iterable[tuple[VmLine, Sequence[str]]]) -> None:
        """Put lines of one VM into their histories; putting them again changes nothing."""
        by_partition: dict[str, list[Entity]] = {}
        for line, scopes in lines:
            for scope in scopes:
                partition = _partition(scope, line.key)
                made = pack(LINE, line, partition=partition, row=line_row(line))
                by_partition.setdefault(partition, []).append(made)
        for rows in by_partition.values():
            for start in range(0, len(rows), MAX_OPERATIONS):
                await self.table.commit(
                    [
                        ("upsert", row, {"mode": UpdateMode.REPLACE})
                        for row in rows[start : start + MAX_OPERATIONS]
                    ]
                )

    async def drop(self, line: VmLine, scopes: Sequence[str]) -> None:
        """Delete a line from its histories; no error where it is gone already."""
        for scope in scopes:
            await self.table.delete(_partition(scope, line.key), line_row(line))

    async def page(
        self, scope: str, *, since: datetime, until: datetime, limit: int, before: str
    ) -> LinesPage:
        """Return lines of a history from *since* to before *until*, newest first.

        Raises BadMessageError when *before* is not one we gave.
        """
        check_before(before)
        found = await asyncio.gather(
            *(
                self._shard(f"{scope}|{shard}", since, until, limit + 1, before)
                for shard in range(SHARDS)
            )
        )
        merged = list(islice(heapq.merge(*found, key=lambda row: str(row["RowKey"])), limit + 1))
        shown = merged[:limit]
        following = str(shown[-1]["RowKey"]) if len(merged) > limit else ""
        return LinesPage(lines=tuple(unpack(LINE, row) for row in shown), before=following)

    async def _shard(
        self, partition: str, since: datetime, until: datetime, limit: int, before: str
    ) -> list[Mapping[str, Any]]:
        stretch = Stretch(
            query="PartitionKey eq @partition and RowKey gt @first and RowKey lt @end",
            parameters={
                "partition": partition,
                "first": max(before, f"{newest_first(until)}{END}"),
                "end": f"{newest_first(since)}{END}",
            },
        )
        # Azure may answer with a part: what lies in the rest must not be passed over.
        rows: list[Mapping[str, Any]] = []
        cursor, of = "", ("history", partition)
        while len(rows) < limit:
            found = await self.table.page([stretch], limit=limit - len(rows), cursor=cursor, of=of)
            rows += found.rows
            cursor = found.cursor
            if not cursor:
                break
        return rows


def _partition(scope: str, key: str) -> str:
    return f"{scope}|{ord(shard_of(key)) % SHARDS}"


def line_row(line: VmLine) -> str:
    """Return the row of a line in a history: later times first, and later lines of a VM first."""
    return f"{newest_first(line.transition.at)}|{escape(line.key)}|{_LAST_NUMBER - line.number:08d}"
