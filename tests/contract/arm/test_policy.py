"""Policy states and scans."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.policyinsights.aio import PolicyInsightsClient

from localcloud.arm import ArmSimulator
from localcloud.arm.ids import seven_digits
from localcloud.arm.policy import PolicyState
from tests.arm_plugin import client_options
from tests.contract.arm.requests import GROUP, SUBSCRIPTION

_VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/Web"
_ASSIGNMENT = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/A"


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


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("complianceState eq 'NonCompliant'", ["1", "3"]),
        ("complianceState ne 'noncompliant' and isCompliant eq true", ["2"]),
        ("resourceId eq '{0}1' or resourceId eq '{0}2'", ["1", "2"]),
        (
            "(resourceId eq '{0}1' or resourceId eq '{0}2') and isCompliant eq false",
            ["1"],
        ),
        (
            "resourceId eq '{0}2' or resourceId eq '{0}3' and policyAssignmentName eq 'it''s'",
            ["2"],
        ),
        ("((resourceType eq 'Microsoft.Compute/virtualMachines'))", ["1", "2", "3"]),
    ],
)
async def test_filters_are_made_of_terms_and_or_and_parentheses(
    arm: ArmSimulator, policy: Any, expression: str, names: list[str]
) -> None:
    for name, state in (("3", "NonCompliant"), ("1", "NonCompliant"), ("2", "Compliant")):
        _put(arm, state, f"{_VM}{name}")

    (page,) = await _pages(policy, filter=expression.format(_VM), order_by="resourceId asc")

    assert page == [f"{_VM}{name}".lower() for name in names]


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "complianceState gt 'A'"},
        {"filter": "complianceState eq 'A' and"},
        {"filter": "(complianceState eq 'A'"},
        {"filter": "complianceState eq 'A')"},
        {"filter": "complianceState eq 'A' xor isCompliant eq true"},
        {"filter": "colour eq 'red'"},
        {"filter": "complianceState eq 'A"},
        {"order_by": "colour asc"},
        {"order_by": "resourceId upwards"},
        {"apply": "aggregate($count as all)"},
    ],
)
async def test_other_filters_and_orders_are_refused(
    arm: ArmSimulator, policy: Any, options: dict[str, str]
) -> None:
    _put(arm, "Compliant")
    _put(arm, "Compliant", f"{_VM}2")

    with pytest.raises(HttpResponseError) as refusal:
        await _pages(policy, **options)

    assert refusal.value.status_code == 400


async def test_results_come_in_the_order_asked_for(arm: ArmSimulator, policy: Any) -> None:
    for name, state in (("b", "Compliant"), ("c", "NonCompliant"), ("a", "Compliant")):
        _put(arm, state, f"{_VM}-{name}")

    async def names(order: str) -> str:
        (page,) = await _pages(policy, order_by=order)
        return "".join(row[-1] for row in page)

    assert await names("ResourceId asc") == "abc"
    assert await names("resourceId desc") == "cba"
    assert await names("resourceId") == "cba"
    assert await names("complianceState desc, resourceId asc") == "cab"


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (
            f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/Set/virtualMachines/0",
            "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
        ),
        (
            f"{_VM}/providers/Microsoft.GuestConfiguration/guestConfigurationAssignments/Tattoo",
            "Microsoft.GuestConfiguration/guestConfigurationAssignments",
        ),
    ],
)
async def test_instances_and_guest_assignments_have_states_of_their_own(
    arm: ArmSimulator, policy: Any, resource: str, kind: str
) -> None:
    _put(arm, "NonCompliant", resource)

    rows = [
        row
        async for row in policy.policy_states.list_query_results_for_subscription(
            SUBSCRIPTION, "latest"
        )
    ]

    assert [(row.resource_id, row.resource_type) for row in rows] == [(resource.lower(), kind)]
    assert [event.subject for event in arm.cloud.events.log] == [resource.lower()]


async def test_an_unchanged_evaluation_moves_the_timestamp_only(slow_arm: ArmSimulator) -> None:
    _put(slow_arm, "Compliant")
    slow_arm.cloud.scheduler.advance(timedelta(hours=1))
    _put(slow_arm, "Compliant")

    (row,) = slow_arm.cloud.policy_states.under(_VM)
    assert row["timestamp"] == seven_digits(slow_arm.cloud.clock.now())
    assert len(slow_arm.cloud.events.log) == 1


async def test_a_silent_change_is_no_event(arm: ArmSimulator) -> None:
    states = arm.cloud.policy_states
    state = PolicyState(resource_id=_VM, assignment=_ASSIGNMENT, state="NonCompliant")

    states.put(state, silent=True)
    put = [row["complianceState"] for row in states.under(_VM)]
    states.delete(state, silent=True)

    assert (put, states.under(_VM)) == (["NonCompliant"], [])
    assert list(arm.cloud.events.log) == []


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
