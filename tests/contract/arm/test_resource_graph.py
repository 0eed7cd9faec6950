"""Resource Graph: the queries a sweep makes, and no others."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.resourcegraph.models import FacetRequest, QueryRequest, QueryRequestOptions

from localcloud.arm import ArmSimulator
from localcloud.arm.events import TENANT_ID
from localcloud.arm.tenant import ROOT, ManagementGroup
from tests.contract.arm.requests import (
    GROUP,
    IMAGE,
    NEWEST_UBUNTU,
    SUBSCRIPTION,
    UBUNTU,
    machine,
    scale_set,
    version,
)

_VMS = "Resources | where type =~ 'Microsoft.Compute/virtualMachines'"


async def _machines(compute: ComputeManagementClient, *names: str) -> None:
    for name in names:
        await compute.virtual_machines.begin_create_or_update("rg", name, machine(UBUNTU))


async def test_machines_are_found_with_their_image_and_tags(
    compute: ComputeManagementClient, graph: Any
) -> None:
    await _machines(compute, "b", "a")

    answer = await graph.resources(
        QueryRequest(
            query=f"{_VMS} | project name, tags, resourceGroup, "
            "exact = tostring(properties.storageProfile.imageReference.exactVersion) "
            "| order by name asc"
        )
    )

    expected = {"tags": {"team": "a"}, "resourceGroup": "rg", "exact": NEWEST_UBUNTU}
    assert answer.data == [{"name": "a", **expected}, {"name": "b", **expected}]
    assert answer.total_records == 2


async def test_pages_follow_the_skip_token(compute: ComputeManagementClient, graph: Any) -> None:
    await _machines(compute, "a", "b", "c")
    token, names = None, []

    for _ in range(2):
        options = QueryRequestOptions(top=2, skip_token=token)
        query = f"{_VMS} | project id, name | order by id asc"
        answer = await graph.resources(QueryRequest(query=query, options=options))
        names.append([row["name"] for row in answer.data])
        token = answer.skip_token

    assert names == [["a", "b"], ["c"]]
    assert token is None


async def test_a_result_without_ids_cannot_be_paged(
    compute: ComputeManagementClient, graph: Any
) -> None:
    await _machines(compute, "a", "b")

    options = QueryRequestOptions(top=1)
    answer = await graph.resources(QueryRequest(query=f"{_VMS} | project name", options=options))

    assert (answer.skip_token, answer.result_truncated) == (None, "true")


async def test_only_subscriptions_that_may_be_read_are_searched(
    compute: ComputeManagementClient, graph: Any
) -> None:
    await _machines(compute, "a")

    both = await graph.resources(
        QueryRequest(query=f"{_VMS} | project name", subscriptions=["another", SUBSCRIPTION])
    )
    with pytest.raises(HttpResponseError, match="NoValidSubscriptionsInQueryRequest"):
        await graph.resources(QueryRequest(query=_VMS, subscriptions=["another"]))

    assert both.data == [{"name": "a"}]


async def test_stages_are_applied_in_the_order_they_are_written(
    compute: ComputeManagementClient, graph: Any
) -> None:
    await _machines(compute, "B", "a")

    async def names(stages: str) -> list[str]:
        answer = await graph.resources(QueryRequest(query=f"{_VMS} | {stages}"))
        return [row["name"] for row in answer.data]

    assert await names("order by name asc") == ["B", "a"]
    assert await names("extend key = tolower(name) | order by key asc") == ["a", "B"]
    assert await names("limit 1 | order by name desc") == ["B"]
    assert await names("order by name desc | limit 1") == ["a"]
    assert await names("project name = tolower(name) | where name == 'b'") == ["b"]
    assert await names("where name =~ 'a | b and c'") == []


async def test_a_sweep_reads_machines(compute: ComputeManagementClient, graph: Any) -> None:
    await _machines(compute, "Web")

    answer = await graph.resources(
        QueryRequest(
            query=f"{_VMS} | extend key = tolower(id) | project id, key, name, location, tags, "
            "reference = properties.storageProfile.imageReference, "
            "disk = properties.storageProfile.osDisk, "
            "computer = properties.osProfile.computerName, "
            "scaleSet = properties.virtualMachineScaleSet.id, created = properties.timeCreated "
            "| order by key asc"
        )
    )

    (row,) = answer.data
    target = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/Web"
    assert (row["id"], row["key"]) == (target, target.lower())
    assert row["reference"] == {**UBUNTU, "exactVersion": NEWEST_UBUNTU}
    assert row["disk"]["osType"] == "Linux"
    assert (row["computer"], row["scaleSet"]) == ("vm", None)
    assert row["created"].endswith("+00:00")


async def test_a_sweep_reads_scale_sets_and_their_instances(
    compute: ComputeManagementClient, graph: Any
) -> None:
    sets = compute.virtual_machine_scale_sets
    await (await sets.begin_create_or_update("rg", "set", scale_set(UBUNTU, capacity=1))).result()

    models = await graph.resources(
        QueryRequest(
            query="Resources | where type =~ 'microsoft.compute/virtualmachinescalesets' "
            "| extend key = tolower(id) | project id, key, name, location, tags, sku, "
            "mode = properties.orchestrationMode, upgrade = properties.upgradePolicy.mode, "
            "reference = properties.virtualMachineProfile.storageProfile.imageReference, "
            "created = properties.timeCreated, "
            "osType = properties.virtualMachineProfile.storageProfile.osDisk.osType "
            "| order by key asc"
        )
    )
    instances = await graph.resources(
        QueryRequest(
            query="ComputeResources | where type =~ "
            "'microsoft.compute/virtualmachinescalesets/virtualmachines' "
            "| extend key = tolower(id) | project id, key, tags, "
            "reference = properties.storageProfile.imageReference, "
            "computer = properties.osProfile.computerName, "
            "current = properties.latestModelApplied | order by key asc"
        )
    )

    (model,) = models.data
    assert (model["mode"], model["upgrade"], model["osType"]) == ("Uniform", "Manual", "Linux")
    assert (model["sku"]["capacity"], model["reference"]) == (1, UBUNTU)
    (instance,) = instances.data
    assert instance["id"] == f"{model['id']}/virtualMachines/0"
    assert instance["reference"]["exactVersion"] == NEWEST_UBUNTU
    assert (instance["computer"], instance["current"]) == ("set000000", True)


async def test_a_sweep_reads_subscriptions_with_their_management_groups(
    arm: ArmSimulator, graph: Any
) -> None:
    query = (
        "ResourceContainers | where type =~ 'microsoft.resources/subscriptions' "
        "| project id, name, subscriptionId, properties | order by id asc"
    )
    (before,) = (await graph.resources(QueryRequest(query=query))).data

    arm.cloud.tenant.place(SUBSCRIPTION, [ManagementGroup(name="shop", display_name="Shop"), ROOT])

    (after,) = (await graph.resources(QueryRequest(query=query))).data
    assert (before["id"], before["subscriptionId"]) == (
        f"/subscriptions/{SUBSCRIPTION}",
        SUBSCRIPTION,
    )
    root = {"name": TENANT_ID, "displayName": "Tenant Root Group"}
    assert before["properties"]["state"] == "Enabled"
    assert before["properties"]["managementGroupAncestorsChain"] == [root]
    assert after["properties"]["managementGroupAncestorsChain"] == [
        {"name": "shop", "displayName": "Shop"},
        root,
    ]


@pytest.mark.usefixtures("gallery")
async def test_versions_scale_sets_and_their_instances_are_found(
    compute: ComputeManagementClient, graph: Any
) -> None:
    await compute.gallery_image_versions.begin_create_or_update("rg", "g", "i", "1.0.0", version())
    sets = compute.virtual_machine_scale_sets
    await (await sets.begin_create_or_update("rg", "set", scale_set(IMAGE))).result()

    async def names(query: str) -> list[str]:
        answer = await graph.resources(QueryRequest(query=query))
        return [row["name"] for row in answer.data]

    kinds = (
        "'microsoft.compute/virtualmachinescalesets', 'microsoft.compute/galleries/images/versions'"
    )
    assert await names(f"Resources | where type in~ ({kinds}) | order by name asc") == [
        "1.0.0",
        "set",
    ]
    kind = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
    instances = f"ComputeResources | where type =~ '{kind}'"
    assert await names(instances) == ["set_0", "set_1"]


@pytest.mark.parametrize(
    "query",
    [
        "project id, location | where where",
        f"{_VMS} | summarize count()",
        "Resources | join x",
        "SecurityResources | limit 1",
        "Resources | where name == 'a' or name == 'b'",
        "Resources | project name | where location == 'westeurope'",
        "Resources | order by nosuch asc",
        "Resources | limit some",
    ],
)
async def test_what_is_not_understood_is_an_invalid_query(graph: Any, query: str) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        await graph.resources(QueryRequest(query=query))

    assert refusal.value.status_code == 400
    assert refusal.value.error is not None
    assert refusal.value.error.code == "InvalidQuery"


@pytest.mark.parametrize(
    "request_",
    [
        QueryRequest(query=_VMS, management_groups=["g"]),
        QueryRequest(query=_VMS, options=QueryRequestOptions(top=1001)),
        QueryRequest(query=_VMS, facets=[FacetRequest(expression="location")]),
    ],
)
async def test_what_is_not_simulated_is_refused(graph: Any, request_: QueryRequest) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        await graph.resources(request_)

    assert refusal.value.status_code == 400
