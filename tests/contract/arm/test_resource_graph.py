"""Resource Graph: the queries a sweep makes, and no others."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from localcloud.arm import ArmSimulator
from tests.arm_plugin import client_options
from tests.contract.arm.requests import IMAGE, NEWEST_UBUNTU, UBUNTU, machine, scale_set, version

_VMS = "Resources | where type =~ 'Microsoft.Compute/virtualMachines'"


@pytest.fixture
async def graph(arm: ArmSimulator) -> AsyncIterator[Any]:
    async with ResourceGraphClient(**client_options(arm)) as client:
        yield client


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


async def test_only_the_subscriptions_asked_for_are_searched(
    compute: ComputeManagementClient, graph: Any
) -> None:
    await _machines(compute, "a")

    answer = await graph.resources(QueryRequest(query=_VMS, subscriptions=["another"]))

    assert answer.data == []


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
    ["project id, location | where where", f"{_VMS} | summarize count()", "Resources | join x"],
)
async def test_what_is_not_understood_is_an_invalid_query(graph: Any, query: str) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        await graph.resources(QueryRequest(query=query))

    assert refusal.value.status_code == 400
    assert refusal.value.error is not None
    assert refusal.value.error.code == "InvalidQuery"
