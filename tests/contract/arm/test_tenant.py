"""Subscriptions that may not be read."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.policyinsights.aio import PolicyInsightsClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest

from localcloud.arm import ArmSimulator, Options
from localcloud.arm.errors import SimulatorStateError
from tests.arm_plugin import client_options
from tests.contract.arm.requests import UBUNTU, machine

_ONE = "00000000-0000-4000-8000-000000000001"
_OTHER = "00000000-0000-4000-8000-00000000000F"


@pytest.fixture
async def two() -> AsyncIterator[ArmSimulator]:
    """A cloud of two subscriptions, with a machine in each; the second is hidden."""
    async with ArmSimulator(options=Options(subscriptions=(_ONE, _OTHER))) as sim:
        for subscription in (_ONE, _OTHER):
            async with ComputeManagementClient(
                subscription_id=subscription, **client_options(sim)
            ) as compute:
                machines = compute.virtual_machines
                await machines.begin_create_or_update("rg", "vm", machine(UBUNTU))
        sim.cloud.tenant.hide(_OTHER.lower())
        yield sim


async def _found(sim: ArmSimulator, query: str) -> list[str]:
    async with ResourceGraphClient(**client_options(sim)) as graph:
        asked = QueryRequest(query=f"{query} | project id, subscriptionId")
        answer: Any = await graph.resources(asked)
        return [row["subscriptionId"] for row in answer.data]


async def test_resource_graph_leaves_a_hidden_subscription_out_and_says_nothing(
    two: ArmSimulator,
) -> None:
    assert await _found(two, "Resources") == [_ONE]
    assert await _found(two, "ResourceContainers") == [_ONE]

    two.cloud.tenant.show(_OTHER)

    assert await _found(two, "Resources") == [_ONE, _OTHER]
    assert await _found(two, "ResourceContainers") == [_ONE, _OTHER]


async def test_every_request_below_a_hidden_subscription_is_forbidden(two: ArmSimulator) -> None:
    events = len(two.cloud.events.log)
    async with (
        ComputeManagementClient(subscription_id=_OTHER, **client_options(two)) as compute,
        PolicyInsightsClient(subscription_id=_OTHER, **client_options(two)) as policy,
    ):
        states = policy.policy_states
        for ask, permission in (
            (compute.virtual_machines.get("rg", "vm"), "Microsoft.Compute/virtualMachines/read"),
            (
                compute.virtual_machines.begin_delete("rg", "vm"),
                "Microsoft.Compute/virtualMachines/delete",
            ),
            (
                anext(states.list_query_results_for_subscription(_OTHER, "latest")),
                "Microsoft.PolicyInsights/policyStates/queryResults/read",
            ),
        ):
            with pytest.raises(HttpResponseError) as refusal:
                await ask
            assert refusal.value.status_code == 403
            assert refusal.value.error is not None
            assert refusal.value.error.code == "AuthorizationFailed"
            assert f"action '{permission}'" in str(refusal.value.error.message)

    assert len(two.cloud.events.log) == events


async def test_a_tenant_has_no_subscriptions_but_its_own(two: ArmSimulator) -> None:
    with pytest.raises(SimulatorStateError):
        two.cloud.tenant.hide("another")
