"""Finding VMs: rows of `VmIndex`, each with the whole VM record.

* `team|<team>|<shard>`, row `<key>`: the team in lower case, so `Web` and `web` are one team.
* `image|<digest of image id>|<version>|<shard>`, row `<key>`: a version is one range of partitions,
  and so is everything up to a version.
* `subscription|<subscription>`, row `<rank>|<id>`: in the order Azure lists machines in.
* `definition|<name>`, row `<digest of image id>`: the image ids seen under a definition's name.

Lists are read far more often than a VM changes, so a row repeats the record and a list costs one
query; a changed VM costs three more writes. `TableVms` keeps the rows in line with the records.

A million VMs may run one version and belong to one team: the shard, a character of the VM's key,
spreads them over 32 partitions (docs/capacity.md). What a subscription's VMs do is bounded by
Azure Resource Manager itself, far below what one partition takes.
"""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from shared.domain.identifiers import digest, normalise_id
from shared.domain.vm_record import VmRecord
from shared.ports import RANKS
from shared.records.entities import SCHEMA, Column, Entity, entity, pack
from shared.records.keys import escape, id_row, version_row
from shared.records.tables import Stretch, Tables

ADAPTER = TypeAdapter(VmRecord)

type RowKeys = tuple[str, str]
"""Partition and row key of an index row."""

END = "}"
"""The character after the bar that keys are joined with: it ends a range."""

SHARDS = 32
"""How many values `shard_of` has: the characters of base32."""

NEVER = 2**31 - 1
"""Column of a moment that does not come."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        for partition, row in sorted(row_keys(record)):
            columns = filter_columns(record)
            made = pack(ADAPTER, record, partition=partition, row=row, columns=columns)
            await self.table.put(made)

    async def drop(self, rows: AbstractSet[RowKeys]) -> None:
        """Delete index rows; no error for those gone already."""
        for partition, row in sorted(rows):
            await self.table.delete(partition, row)

    async def images_of(self, definition: str) -> list[str]:
        """Return the digests of the image ids seen under the name of a definition."""
        known = Stretch(
            query="PartitionKey eq @partition",
            parameters={"partition": f"definition|{escape(definition)}"},
        )
        return [str(row["RowKey"]) for row in await self.table.all(known)]


def shard_of(key: str) -> str:
    """Return the shard of a VM: a character of the digest in its key, 32 in all."""
    return key.rpartition(".")[2][:1]


def rank_of(record: VmRecord) -> int:
    """Return among which machines Azure lists this one."""
    return next(rank for rank, machines in enumerate(RANKS) if record.machine in machines)


def row_keys(record: VmRecord | None) -> set[RowKeys]:
    """Return the index rows a VM record has; none for a VM without record."""
    if record is None:
        return set()
    key, shard = escape(record.key), shard_of(record.key)
    rows = {
        (f"team|{escape(record.team.lower())}|{shard}", key),
        (subscription_partition(record.subscription_id), subscription_row(record)),
    }
    if record.image.image_id:
        image, version = image_partition(record.image.image_id), version_row(record.image.version)
        rows.add((f"{image}|{version}|{shard}", key))
    return rows


def image_partition(image_id: str) -> str:
    """Return what the partitions of the VMs that run any version of an image start with."""
    return f"image|{digest(normalise_id(image_id))}"


def subscription_partition(subscription_id: str) -> str:
    """Return the partition of the VMs of a subscription."""
    return f"subscription|{escape(subscription_id.lower())}"


def subscription_row(record: VmRecord) -> str:
    """Return the row of a VM in the partition of its subscription."""
    return f"{rank_of(record)}|{id_row(record.resource_id)}"


def to_minutes(moment: datetime | None, *, missing: int) -> int:
    """Return *moment* in minutes since 1970, as a column holds it; *missing* for None."""
    return missing if moment is None else (moment - _EPOCH) // timedelta(minutes=1)


def from_minutes(minutes: int) -> datetime:
    """Read a column that `to_minutes` wrote."""
    return _EPOCH + timedelta(minutes=minutes)


def filter_columns(record: VmRecord) -> dict[str, Column]:
    """Return what lists filter on and reports count."""
    due = min((at for at in (record.due_at, record.plan_due_at) if at), default=None)
    return {
        "known": True,
        "team": record.team.lower(),
        "subscription": record.subscription_id.lower(),
        "definition": record.definition,
        "image": record.image.image_id,
        "version": record.image.version,
        "verdict": str(record.verdict),
        "kind": str(record.kind),
        "machine": str(record.machine),
        "region": record.region,
        "policy": record.policy,
        "scale_set": record.scale_set_id,
        "born": to_minutes(record.created_at or record.first_seen_at, missing=0),
        "image_born": to_minutes(record.image_published_at, missing=NEVER),
        "due": to_minutes(due, missing=NEVER),
        "deleted": record.deleted_at is not None,
    }


def _definition_row(definition: str, image_id: str) -> Entity:
    partition, row = f"definition|{escape(definition)}", digest(normalise_id(image_id))
    return entity(partition, row, {"schema": SCHEMA, "image_id": image_id})
