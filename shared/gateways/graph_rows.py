"""Rows of Resource Graph, read by the readers of what Resource Manager writes.

A row is put back into the shape of the resource it was made from. So a machine looks the same
whichever of the two it was read from, and a sweep compares like with like.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.vm_record import Machine, VmFacts
from shared.gateways.machine_facts import machine_facts, model_facts
from shared.ports import RANKS, ShownSubscription

type Row = Mapping[str, Any]

_MACHINES = (
    "extend key = tolower(id) "
    "| project id, key, name, location, tags, "
    "reference = properties.storageProfile.imageReference, "
    "disk = properties.storageProfile.osDisk, "
    "computer = properties.osProfile.computerName, "
    "scaleSet = properties.virtualMachineScaleSet.id, "
    "created = properties.timeCreated "
    "| order by key asc"
)
_PROFILE = "properties.virtualMachineProfile.storageProfile"
_BY_FIRST: dict[Machine, str] = {
    Machine.VM: f"Resources | where type =~ 'microsoft.compute/virtualmachines' | {_MACHINES}",
    Machine.UNIFORM: "ComputeResources "
    "| where type =~ 'microsoft.compute/virtualmachinescalesets/virtualmachines' "
    f"| {_MACHINES}",
    Machine.SCALE_SET: "Resources "
    "| where type =~ 'microsoft.compute/virtualmachinescalesets' "
    "| extend key = tolower(id) "
    "| project id, key, name, location, tags, sku, "
    f"reference = {_PROFILE}.imageReference, "
    f"osType = {_PROFILE}.osDisk.osType, "
    "created = properties.timeCreated "
    "| order by key asc",
}
QUERIES = tuple(_BY_FIRST[machines[0]] for machines in RANKS)
"""What lists the machines of each of `RANKS`; ordered by id, for a result without order cannot be
paged (https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data)."""

SUBSCRIPTIONS = (
    "ResourceContainers | where type =~ 'microsoft.resources/subscriptions' "
    "| project id, name, subscriptionId, properties | order by id asc"
)


def row_facts(row: Row, rank: int) -> VmFacts:
    """Read a row that the query of *rank* answered."""
    if Machine.SCALE_SET in RANKS[rank]:
        return model_facts(_scale_set(row))
    return machine_facts(_machine(row), inherited={})


def shown_subscription(row: Row) -> ShownSubscription:
    """Read a row that `SUBSCRIPTIONS` answered."""
    chain = (row.get("properties") or {}).get("managementGroupAncestorsChain") or []
    return ShownSubscription(
        subscription_id=str(row["subscriptionId"]).lower(),
        management_groups=tuple(str(group["name"]).lower() for group in chain),
    )


def _machine(row: Row) -> Row:
    properties: dict[str, Any] = {
        "storageProfile": {"imageReference": row.get("reference"), "osDisk": row.get("disk")},
        "timeCreated": row.get("created"),
    }
    if row.get("computer"):
        properties["osProfile"] = {"computerName": row["computer"]}
    if row.get("scaleSet"):
        properties["virtualMachineScaleSet"] = {"id": row["scaleSet"]}
    return {**_common(row), "properties": properties}


def _scale_set(row: Row) -> Row:
    storage = {
        "imageReference": row.get("reference"),
        "osDisk": {"osType": row.get("osType")},
    }
    properties = {
        "virtualMachineProfile": {"storageProfile": storage},
        "timeCreated": row.get("created"),
    }
    return {**_common(row), "sku": row.get("sku"), "properties": properties}


def _common(row: Row) -> dict[str, Any]:
    return {name: row.get(name) for name in ("id", "name", "location", "tags")}
