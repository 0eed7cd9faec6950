"""What Azure Policy says, with events lost on the way, and every message delivered twice."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from localcloud.environment import SUBSCRIPTION, TEAMS_SUBSCRIPTION
from localcloud.scenario.machines import UBUNTU, Machine
from shared.domain.subscription import Subscription
from shared.ports import Stored
from shared.records.records import Records
from shared.settings import Storage
from shared.web.views.values import instant
from tests.conformance.oav import validate
from tests.functional.conftest import Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASSIGNMENTS = (
    f"/subscriptions/{TEAMS_SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments"
)
GUEST = "providers/Microsoft.GuestConfiguration/guestConfigurationAssignments/Baseline"
LIST = "PolicyStates_ListQueryResultsForSubscription"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def records(local: LocalAssay) -> AsyncIterator[Records]:
    """Return the register, which knows both subscriptions as a sweep of the fleet leaves them."""
    register = Records(Storage(connection_string=local.storage))
    for subscription in (SUBSCRIPTION, TEAMS_SUBSCRIPTION):
        stored = await register.subscriptions.get(subscription)
        known = stored or Stored(Subscription(subscription_id=subscription))
        if stored is None:
            await register.subscriptions.save(known)
    yield register
    await register.close()


async def say(
    local: LocalAssay,
    resource: str,
    state: str,
    *,
    assignment: str = "golden",
    reason: str = "",
    lost: bool = False,
) -> None:
    """Let Azure Policy find something out; when *lost*, no event tells of it."""
    body = {
        "resource_id": resource,
        "assignment": f"{ASSIGNMENTS}/{assignment}",
        "state": state,
        "reason": reason,
        "silent": lost,
    }
    await local.simulation.http.call("POST", "/_sim/policy-states", body)


async def withdraw(local: LocalAssay, resource: str, *, assignment: str = "golden") -> None:
    """Let Azure Policy no longer say it, and no event tell of that."""
    body = {
        "resource_id": resource,
        "assignment": f"{ASSIGNMENTS}/{assignment}",
        "silent": True,
    }
    await local.simulation.http.call("DELETE", "/_sim/policy-states", body)


async def deploy(local: LocalAssay, name: str) -> str:
    machine = Machine(name=name, team="policy", image=UBUNTU)
    await local.azure.deploy(machine.id, machine.body())
    await local.vm(name, verdict="unapproved")
    return machine.id


async def sweep(local: LocalAssay) -> dict[str, Json]:
    """Fire the timer; return by subscription what the sweep found, once it has ended."""
    before = instant(datetime.now(UTC))
    await local.assay.http.call("POST", "/admin/functions/look_at_policy", {"input": ""})

    async def look() -> dict[str, Json] | None:
        page = await local.assay.http.call("GET", "/api/v1/policy-sweeps")
        ours = [s for s in page["items"] if s["began_at"] >= before]
        ended = {s["subscription"]: s for s in ours if s["ended_at"]}
        return ended if len(ended) == 2 else None

    return await local.until(look, "a policy sweep through both subscriptions")


async def whole(local: LocalAssay, name: str) -> Json:
    vm = await local.vm(name)
    return await local.assay.vm(vm["key"])


async def test_lost_events_are_recovered_with_exemptions_and_guest_configuration(
    local: LocalAssay, records: Records
) -> None:
    first, second = await deploy(local, "pol-1"), await deploy(local, "pol-2")
    await say(local, first, "Compliant")
    await local.vm("pol-1", policy="compliant")
    await say(local, first, "NonCompliant", lost=True)
    await say(local, second, "Exempt", reason="Waived", lost=True)
    await say(local, f"{second}/{GUEST}", "Compliant", assignment="baseline", lost=True)

    found = (await sweep(local))[TEAMS_SUBSCRIPTION]

    assert found["problem"] is None
    assert (found["states"], found["missed"]) == (3, 3)
    assert (found["new"], found["changed"], found["removed"]) == (2, 1, 0)
    one, two = await whole(local, "pol-1"), await whole(local, "pol-2")
    assert (one["policy"], one["policy_stale"]) == ("noncompliant", False)
    assert [t["because"] for t in one["history"] if t["what"] == "policy"] == [
        "policy assignment golden says compliant",
        "policy sweep",
    ]
    assert two["policy"] == "compliant"
    shown = {(s["about"], s["state"], s["exempt"], s["reason_code"]) for s in two["policy_states"]}
    assert shown == {(None, "exempt", True, "Waived"), ("baseline", "compliant", False, None)}
    assert two["exemptions"] == [f"{ASSIGNMENTS}/golden".lower()]
    stored = await records.subscriptions.get(TEAMS_SUBSCRIPTION)
    assert stored
    assert stored.value.policy_swept_at
    assert instant(stored.value.policy_swept_at) == found["began_at"]


async def test_a_second_sweep_finds_nothing_more(local: LocalAssay, records: Records) -> None:
    found = (await sweep(local))[TEAMS_SUBSCRIPTION]
    assert (found["states"], found["missed"], found["refreshed"]) == (3, 0, 0)


async def test_what_is_no_longer_listed_leaves_a_tombstone(
    local: LocalAssay, records: Records
) -> None:
    machine = (await whole(local, "pol-1"))["resource_id"]
    await withdraw(local, machine)

    found = (await sweep(local))[TEAMS_SUBSCRIPTION]

    assert (found["missed"], found["removed"]) == (1, 1)
    vm = await whole(local, "pol-1")
    assert vm["policy"] is None
    assert [(s["deleted"], s["state"]) for s in vm["policy_states"]] == [(True, None)]
    await say(local, machine, "Compliant")
    await local.vm("pol-1", policy="compliant")


async def test_a_subscription_that_may_not_be_read_is_told_and_holds_up_no_other(
    local: LocalAssay, records: Records
) -> None:
    machine = (await whole(local, "pol-1"))["resource_id"]
    await say(local, machine, "NonCompliant", lost=True)
    hidden = {"subscription": SUBSCRIPTION, "hidden": True}
    await local.simulation.http.call("POST", "/_sim/tenant/subscriptions", hidden)
    busy = {"kind": "http", "operation": LIST, "path": TEAMS_SUBSCRIPTION, "status": 429,
            "code": "TooManyRequests", "retry_after": 1, "times": 5}  # fmt: skip
    await local.simulation.http.call("POST", "/_sim/faults", busy)
    try:
        found = await sweep(local)
    finally:
        shown = {**hidden, "hidden": False}
        await local.simulation.http.call("POST", "/_sim/tenant/subscriptions", shown)

    assert "403" in found[SUBSCRIPTION]["problem"]
    assert found[TEAMS_SUBSCRIPTION]["problem"] is None
    assert found[TEAMS_SUBSCRIPTION]["changed"] == 1
    await local.vm("pol-1", policy="noncompliant")
    assert await local.assay.parked() == []


async def test_long_lists_are_swept_page_by_page_and_counted_once(
    local: LocalAssay, records: Records
) -> None:
    machine = (await whole(local, "pol-1"))["resource_id"]
    for number in range(250):
        await say(local, f"{machine}-x{number:03}", "Compliant", lost=True)

    found = (await sweep(local))[TEAMS_SUBSCRIPTION]

    assert (found["states"], found["missed"], found["new"]) == (253, 250, 250)
    assert (await sweep(local))[TEAMS_SUBSCRIPTION]["missed"] == 0


async def test_a_vm_under_more_policies_than_one_transaction_takes_is_recovered_whole(
    local: LocalAssay, records: Records
) -> None:
    machine = await deploy(local, "pol-3")
    for number in range(130):
        await say(local, machine, "Compliant", assignment=f"many-{number}", lost=True)

    found = (await sweep(local))[TEAMS_SUBSCRIPTION]

    assert (found["missed"], found["new"]) == (130, 130)
    vm = await whole(local, "pol-3")
    assert (vm["policy"], len(vm["policy_states"])) == ("compliant", 130)
    assert await local.assay.parked() == []


async def test_the_traffic_was_as_azures_specifications_say(
    local: LocalAssay, tmp_path: Path
) -> None:
    await local.simulation.http.call("POST", "/_sim/traffic/dump", {"dir": str(tmp_path)})
    assert await validate(tmp_path) == []
