"""Finding VMs by team and by image: rows of `VmIndex`, each with the whole VM record.

* `team|<team>`, row `<key>`: the team in lower case, so `Web` and `web` are one team.
* `image|<digest of image id>`, row `<version>|<key>`: one version of an image is one range of rows.
* `definition|<name>`, row `<digest of image id>`: the image ids seen under a definition's name.

Lists are read far more often than a VM changes, so a row repeats the record and a list costs one
query; a changed VM costs two more writes. `TableVms` keeps the rows in line with the records.
"""

from collections.abc import Set as AbstractSet

from pydantic import TypeAdapter

from shared.domain.identifiers import digest, normalise_id
from shared.domain.vm_record import VmRecord
from shared.ports import VmFilter
from shared.records.entities import SCHEMA, Column, Entity, entity, pack
from shared.records.keys import escape, version_row
from shared.records.tables import Stretch, Tables

ADAPTER = TypeAdapter(VmRecord)

type RowKeys = tuple[str, str]
"""Partition and row key of an index row."""


class VmIndex:
    """The index rows of VM records."""

    def __init__(self, tables: Tables) -> None:
        self.table = tables.table("VmIndex")
        self._definitions: set[tuple[str, str]] = set()

    async def write(self, record: VmRecord) -> None:
        """Put every index row of *record*; a definition's image id once per process."""
        named = (record.definition, record.image.image_id)
        if all(named) and named not in self._definitions:
            await self.table.put(_definition_row(*named))
            self._definitions.add(named)
        for partition, row in row_keys(record):
            columns = filter_columns(record)
            made = pack(ADAPTER, record, partition=partition, row=row, columns=columns)
            await self.table.put(made)

    async def drop(self, rows: AbstractSet[RowKeys]) -> None:
        """Delete index rows; no error for those gone already."""
        for partition, row in sorted(rows):
            await self.table.delete(partition, row)

    async def stretches(self, wanted: VmFilter) -> list[Stretch]:
        """Return the queries that find *wanted*; it must name a team or an image."""
        query = _Query(wanted)
        if not wanted.image:
            query.add("PartitionKey", "eq", f"team|{escape(wanted.team.lower())}")
            query.add_subscription("RowKey")
            return [query.stretch()]
        if wanted.team:
            query.add("team", "eq", wanted.team.lower())
        if wanted.subscription_id:
            query.add("subscription", "eq", wanted.subscription_id.lower())
        if wanted.version:
            first = version_row(wanted.version)
            query.add("RowKey", "ge", f"{first}|")
            query.add("RowKey", "lt", f"{first}}}")  # the character after |
            query.add("version", "eq", wanted.version)
        return [query.stretch(("PartitionKey", "eq", image)) for image in await self._images(query)]

    async def _images(self, query: "_Query") -> list[str]:
        """Return the image partitions of a filter that names an image id or a definition."""
        name = query.wanted.image
        if "/" in name or ":" in name:
            return [image_partition(name)]
        query.add("definition", "eq", name)
        known = Stretch(
            query="PartitionKey eq @partition",
            parameters={"partition": f"definition|{escape(name)}"},
        )
        return [f"image|{row['RowKey']}" for row in await self.table.all(known)]


def row_keys(record: VmRecord | None) -> set[RowKeys]:
    """Return the index rows a VM record has; none for a VM without record."""
    if record is None:
        return set()
    key = escape(record.key)
    rows = {(f"team|{escape(record.team.lower())}", key)}
    if record.image.image_id:
        version = version_row(record.image.version)
        rows.add((image_partition(record.image.image_id), f"{version}|{key}"))
    return rows


def image_partition(image_id: str) -> str:
    """Return the partition of the VMs that run any version of an image."""
    return f"image|{digest(normalise_id(image_id))}"


def filter_columns(record: VmRecord) -> dict[str, Column]:
    """Return what lists filter on."""
    return {
        "known": True,
        "team": record.team.lower(),
        "subscription": record.subscription_id.lower(),
        "definition": record.definition,
        "version": record.image.version,
        "verdict": str(record.verdict),
        "scale_set": record.scale_set_id,
        "deleted": record.deleted_at is not None,
    }


def register_stretch(wanted: VmFilter) -> Stretch:
    """Return the query over the VM records themselves, for what names neither team nor image.

    It passes over the other rows of every VM in its range.
    """
    query = _Query(wanted)
    query.add("RowKey", "eq", "record")
    query.add("known", "eq", True)
    query.add_subscription("PartitionKey")
    return query.stretch()


type _Condition = tuple[str, str, Column]


class _Query:
    """A filter in the making; it starts with what holds for every list."""

    def __init__(self, wanted: VmFilter) -> None:
        self.wanted = wanted
        self._conditions: list[_Condition] = []
        if wanted.verdict:
            self.add("verdict", "eq", wanted.verdict)
        if wanted.scale_set_id:
            self.add("scale_set", "eq", wanted.scale_set_id)
        if not wanted.deleted:
            self.add("deleted", "eq", False)

    def add(self, column: str, operator: str, value: Column) -> None:
        """Demand one thing more."""
        self._conditions.append((column, operator, value))

    def add_subscription(self, key: str) -> None:
        """Demand the subscription, which VM keys start with: a range of *key*."""
        if subscription := escape(self.wanted.subscription_id.lower()):
            self.add(key, "ge", f"{subscription}.")
            self.add(key, "lt", f"{subscription}/")  # the character after the dot

    def stretch(self, *more: _Condition) -> Stretch:
        """Return the query."""
        conditions = [*more, *self._conditions]
        return Stretch(
            query=" and ".join(f"{c} {op} @p{n}" for n, (c, op, _) in enumerate(conditions)),
            parameters={f"p{n}": value for n, (_, _, value) in enumerate(conditions)},
        )


def _definition_row(definition: str, image_id: str) -> Entity:
    partition, row = f"definition|{escape(definition)}", digest(normalise_id(image_id))
    return entity(partition, row, {"schema": SCHEMA, "image_id": image_id})
