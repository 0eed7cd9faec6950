"""Policy states and scans."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.policyinsights.aio import PolicyInsightsClient

from localcloud.arm import ArmSimulator
from localcloud.arm.policy import PolicyState
from tests.arm_plugin import client_options
from tests.contract.arm.requests import GROUP, SUBSCRIPTION

_VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/Web"
_ASSIGNMENT = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/A"


@pytest.fixture
async def policy(arm: ArmSimulator) -> AsyncIterator[Any]:
    async with PolicyInsightsClient(
        subscription_id=arm.subscription_id, **client_options(arm)
    ) as client:
        yield client


def _put(sim: ArmSimulator, state: str, resource: str = _VM) -> None:
    sim.cloud.policy_states.put(
        PolicyState(resource_id=resource, assignment=_ASSIGNMENT, state=state)
    )


async def test_a_state_is_found_at_the_resource_its_group_and_its_subscription(
    arm: ArmSimulator, policy: Any
) -> None:
    _put(arm, "NonCompliant")
    states = policy.policy_states

    found = [
        [row.resource_id async for row in rows]
        for rows in (
            states.list_query_results_for_resource("latest", _VM),
            states.list_query_results_for_resource_group(SUBSCRIPTION, "rg", "latest"),
            states.list_query_results_for_subscription(SUBSCRIPTION, "latest"),
            states.list_query_results_for_resource_group(SUBSCRIPTION, "other", "latest"),
        )
    ]

    assert found == [[_VM.lower()], [_VM.lower()], [_VM.lower()], []]


async def test_a_state_may_be_filtered_by_compliance(arm: ArmSimulator, policy: Any) -> None:
    _put(arm, "NonCompliant")
    _put(arm, "Compliant", f"{_VM}2")

    rows = policy.policy_states.list_query_results_for_subscription(
        SUBSCRIPTION, "latest", filter="complianceState eq 'NonCompliant'"
    )

    assert [(row.resource_id, row.is_compliant) async for row in rows] == [(_VM.lower(), False)]


async def _pages(policy: Any, **options: Any) -> list[list[str]]:
    """All pages of a subscription: each asked for by POST, with the token of the one before."""
    pages: list[list[str]] = []
    token = None
    while True:
        result = policy.policy_states.list_query_results_for_subscription(
            SUBSCRIPTION, "latest", skip_token=token, **options
        ).by_page()
        pages.append([row.resource_id async for row in await anext(result)])
        link = result.continuation_token
        if link is None:
            return pages
        (token,) = parse_qs(urlsplit(link).query)["$skiptoken"]


async def test_long_results_come_in_pages_up_to_the_top(arm: ArmSimulator, policy: Any) -> None:
    for number in range(450):
        _put(arm, "Compliant", f"{_VM}{number}")

    assert [len(page) for page in await _pages(policy)] == [200, 200, 50]
    assert [len(page) for page in await _pages(policy, top=3)] == [3]


async def test_the_next_page_is_a_post_and_the_pager_of_the_sdk_gets_it_wrong(
    arm: ArmSimulator, policy: Any
) -> None:
    for number in range(201):
        _put(arm, "Compliant", f"{_VM}{number}")
    rows = policy.policy_states.list_query_results_for_subscription(SUBSCRIPTION, "latest")

    with pytest.raises(HttpResponseError, match="has no GET"):
        _ = [row async for row in rows]


async def test_a_new_state_a_changed_and_a_deleted_one_are_events(arm: ArmSimulator) -> None:
    _put(arm, "NonCompliant")
    _put(arm, "NonCompliant")
    _put(arm, "Compliant")
    arm.cloud.policy_states.delete(PolicyState(resource_id=_VM, assignment=_ASSIGNMENT, state=""))

    events = [(event.type, event.data["complianceState"]) for event in arm.cloud.events.log]
    assert events == [
        ("Microsoft.PolicyInsights.PolicyStateCreated", "NonCompliant"),
        ("Microsoft.PolicyInsights.PolicyStateChanged", "Compliant"),
        ("Microsoft.PolicyInsights.PolicyStateDeleted", ""),
    ]
    assert len({event.id for event in arm.cloud.events.log}) == 1


async def test_a_scan_has_a_location_only_and_answers_202_until_it_is_done(
    slow_arm: ArmSimulator,
) -> None:
    headers: dict[str, str] = {}
    async with PolicyInsightsClient(
        subscription_id=slow_arm.subscription_id, **client_options(slow_arm)
    ) as policy:
        poller = await policy.policy_states.begin_trigger_subscription_evaluation(
            SUBSCRIPTION,
            raw_response_hook=lambda r: headers.update(r.http_response.headers),
        )
        early = poller.done()
        slow_arm.cloud.scheduler.advance(timedelta(minutes=10))
        await poller.result()

    assert not early
    assert poller.done()
