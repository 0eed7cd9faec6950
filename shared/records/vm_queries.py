"""From which VMs are wanted to the queries of `VmIndex` that find them."""

from collections.abc import Sequence
from typing import Any

from shared.domain.identifiers import parse_resource_id
from shared.domain.vm_record import Machine
from shared.ports import MACHINES, RANKS, FleetRow, VmFilter
from shared.records.entities import Column
from shared.records.keys import below, escape, id_row, version_row
from shared.records.tables import Stretch
from shared.records.vm_index import (
    END,
    NEVER,
    VmIndex,
    from_minutes,
    image_partition,
    subscription_partition,
    to_minutes,
)

type _Condition = tuple[str, str, Column]

FLEET_COLUMNS = [
    "team", "definition", "image", "version", "verdict", "kind", "machine", "region",
    "subscription", "policy", "born", "image_born", "due",
]  # fmt: skip
"""What `fleet_row` reads."""


async def stretches_of(wanted: VmFilter, index: VmIndex) -> list[Stretch]:
    """Return the queries that find *wanted*, in the order they are to be read."""
    query = _Query(wanted)
    if wanted.image:
        images = [image_partition(wanted.image)]
        if "/" not in wanted.image and ":" not in wanted.image:
            query.add("definition", "eq", wanted.image)
            images = [f"image|{digest}" for digest in await index.images_of(wanted.image)]
        if wanted.version:
            query.add("version", "eq", wanted.version)
            images = [f"{image}|{version_row(wanted.version)}" for image in images]
        query.add_team()
        query.add_subscription()
        return [query.stretch(*_partitions(image)) for image in images]
    if wanted.scale_set_id:
        return _members(query, wanted.scale_set_id)
    if wanted.team:
        query.add_subscription()
        return [query.stretch(*_partitions(f"team|{escape(wanted.team.lower())}"))]
    if wanted.subscription_id:
        partition = subscription_partition(wanted.subscription_id)
        return [query.stretch(("PartitionKey", "eq", partition))]
    return [query.stretch(*_partitions("subscription"))]


def stretches_up_to(image_id: str, version: str) -> list[Stretch]:
    """Return the queries for the living users of an image, of all versions up to *version*.

    Those without a version come last: scale sets that take the latest one.
    """
    image, living = image_partition(image_id), ("deleted", "eq", False)
    if not version:
        return [_stretch([*_partitions(image), living])]
    numbered = (
        ("PartitionKey", "ge", f"{image}|"),
        ("PartitionKey", "lt", f"{image}|{version_row(version)}{END}"),
    )
    return [
        _stretch([*numbered, living]),
        _stretch([*_partitions(f"{image}|{version_row('')}"), living]),
    ]


def stretch_between(
    subscription_id: str, machines: Sequence[Machine], after: str, up_to: str
) -> Stretch:
    """Return the query for the records of a subscription with ids above *after*, up to *up_to*."""
    rank = RANKS.index(tuple(machines))
    upper = (
        ("RowKey", "le", f"{rank}|{id_row(up_to)}") if up_to else ("RowKey", "lt", f"{rank}{END}")
    )
    return _stretch(
        [
            ("PartitionKey", "eq", subscription_partition(subscription_id)),
            ("RowKey", "gt", f"{rank}|{id_row(after)}"),
            upper,
        ]
    )


def stretch_of_fleet() -> Stretch:
    """Return the query for every machine that is not deleted."""
    return _Query(VmFilter()).stretch(*_partitions("subscription"))


def fleet_row(row: Any) -> FleetRow:
    """Read the columns reports count."""
    published, due = int(row["image_born"]), int(row["due"])
    return FleetRow(
        team=row["team"],
        definition=row["definition"],
        image_id=row["image"],
        version=row["version"],
        verdict=row["verdict"],
        kind=row["kind"],
        machine=row["machine"],
        region=row["region"],
        subscription_id=row["subscription"],
        policy=row["policy"],
        created_at=from_minutes(int(row["born"])),
        image_published_at=None if published == NEVER else from_minutes(published),
        due_at=None if due == NEVER else from_minutes(due),
    )


def _members(query: "_Query", scale_set_id: str) -> list[Stretch]:
    """Return the queries for the members of a scale set.

    Those of a Uniform set lie below its own id. Those of a Flexible one are VMs of its resource
    group that name it.
    """
    parsed = parse_resource_id(scale_set_id)
    group, _, _ = scale_set_id.partition("/providers/")
    partition = ("PartitionKey", "eq", subscription_partition(parsed.subscription_id))
    query.add("scale_set", "eq", scale_set_id)
    query.add_team()
    return [
        query.stretch(
            partition, ("RowKey", "ge", f"{rank}|{first}"), ("RowKey", "lt", f"{rank}|{end}")
        )
        for rank, (first, end) in ((0, below(id_row(group))), (1, below(id_row(scale_set_id))))
    ]


def _partitions(start: str) -> tuple[_Condition, _Condition]:
    """Return the conditions for all partitions whose key is *start*, a bar, and anything."""
    return ("PartitionKey", "ge", f"{start}|"), ("PartitionKey", "lt", f"{start}{END}")


class _Query:
    """A filter in the making; it starts with what holds for every list."""

    def __init__(self, wanted: VmFilter) -> None:
        self._wanted = wanted
        self._conditions: list[_Condition] = []
        for column in ("verdict", "kind", "region", "policy"):
            if value := str(getattr(wanted, column)):
                self.add(column, "eq", value)
        if set(wanted.machines) == set(MACHINES):
            self.add("machine", "ne", str(Machine.SCALE_SET))
        elif len(wanted.machines) == 1:
            self.add("machine", "eq", str(wanted.machines[0]))
        if wanted.due_before:
            self.add("due", "lt", to_minutes(wanted.due_before, missing=NEVER))
        if not wanted.deleted:
            self.add("deleted", "eq", False)

    def add(self, column: str, operator: str, value: Column) -> None:
        """Demand one thing more."""
        self._conditions.append((column, operator, value))

    def add_team(self) -> None:
        """Demand the team, if one is wanted."""
        if self._wanted.team:
            self.add("team", "eq", self._wanted.team.lower())

    def add_subscription(self) -> None:
        """Demand the subscription, if one is wanted."""
        if self._wanted.subscription_id:
            self.add("subscription", "eq", self._wanted.subscription_id.lower())

    def stretch(self, *more: _Condition) -> Stretch:
        """Return the query."""
        return _stretch([*more, *self._conditions])


def _stretch(conditions: Sequence[_Condition]) -> Stretch:
    return Stretch(
        query=" and ".join(f"{c} {op} @p{n}" for n, (c, op, _) in enumerate(conditions)),
        parameters={f"p{n}": value for n, (_, _, value) in enumerate(conditions)},
    )
