"""What can go wrong between an event and the read it asks for; messages come twice and shuffled."""

import asyncio
import re

import pytest

from localcloud.arm.faults import HttpFault
from localcloud.environment import SUBSCRIPTION, TEAMS_SUBSCRIPTION
from localcloud.scenario.machines import UBUNTU, Machine
from tests.functional.conftest import Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUIET_SECONDS = 3.0
"""Longer than any message of these tests takes."""


def machine(name: str) -> Machine:
    return Machine(name=name, team="shop", image=UBUNTU)


def elsewhere(subscription: str, name: str, provider: str = "Compute/virtualMachines") -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/rg-x/providers/Microsoft.{provider}/{name}"
    )


async def tell(local: LocalAssay, resource_id: str, *, at: str = "2026-11-22T12:00:00Z") -> None:
    """Deliver the event that a resource was written."""
    kind = re.sub(r".*/providers/(.*)/[^/]+$", r"\1", resource_id)
    await local.host_event(
        {
            "subject": resource_id, "id": f"{resource_id}@{at}", "topic": "/subscriptions/x",
            "eventType": "Microsoft.Resources.ResourceWriteSuccess", "eventTime": at,
            "dataVersion": "2", "data": {"operationName": f"{kind}/write"},
        }
    )  # fmt: skip


async def test_a_read_that_is_throttled_is_made_when_azure_says(local: LocalAssay) -> None:
    fault = HttpFault(
        operation="VirtualMachines_Get$", path="busy-1", status=429, retry_after=1,
        code="TooManyRequests", times=4,
    )  # fmt: skip
    local.simulator.add_fault(fault)
    await local.azure.http.call(
        "PUT", f"{machine('busy-1').id}?api-version=2024-07-01", machine("busy-1").body()
    )

    vm = await local.vm("busy-1", verdict="unapproved")

    assert [t["what"] for t in (await local.assay.vm(vm["key"]))["history"]] == [
        "first-seen", "verdict",
    ]  # fmt: skip
    assert await local.assay.parked() == []


async def test_a_vm_that_went_before_it_was_read_leaves_nothing(local: LocalAssay) -> None:
    await tell(local, machine("ghost").id)

    await asyncio.sleep(QUIET_SECONDS)

    assert [e.url for e in local.simulator.cloud.traffic if "ghost" in e.url]
    assert "ghost" not in [v["name"] for v in await local.assay.vms()]
    assert await local.assay.parked() == []


async def test_an_event_of_a_type_nobody_tracks_is_passed_over(local: LocalAssay) -> None:
    local.simulator.cloud.traffic.clear()
    await tell(local, elsewhere(TEAMS_SUBSCRIPTION, "disk-1", "Compute/disks"))

    await asyncio.sleep(QUIET_SECONDS)

    assert [e.url for e in local.simulator.cloud.traffic if "disk-1" in e.url] == []
    assert await local.assay.parked() == []


async def test_an_event_of_a_late_clock_or_an_early_one_is_only_a_hint(local: LocalAssay) -> None:
    await local.azure.deploy(machine("clock").id, machine("clock").body())
    vm = await local.vm("clock", verdict="unapproved")

    for at in ("2019-01-01T00:00:00Z", "2035-01-01T00:00:00Z"):
        await tell(local, machine("clock").id, at=at)
    await asyncio.sleep(QUIET_SECONDS)

    assert (await local.vm("clock"))["changed_at"] == vm["changed_at"]


async def test_403_in_one_subscription_is_told_and_holds_up_no_other(local: LocalAssay) -> None:
    fault = HttpFault(
        operation="VirtualMachines_Get$", path="secret", status=403, code="AuthorizationFailed",
        message="The client does not have authorization.", times=30,
    )  # fmt: skip
    local.simulator.add_fault(fault)
    await tell(local, elsewhere(SUBSCRIPTION, "secret"))
    await local.azure.deploy(machine("open").id, machine("open").body())

    await local.vm("open", verdict="unapproved")

    async def troubled() -> Json | None:
        found = await local.assay.http.call("GET", "/api/v1/subscriptions?troubled=true")
        return next(iter(found["items"]), None)

    home = await local.until(troubled, "the subscription that cannot be read")
    health = await local.assay.http.call("GET", "/api/v1/health")
    assert (home["id"], "403" in home["problem"]) == (SUBSCRIPTION, True)
    assert (health["status"], health["fleet"]["unreadable"]) == ("degraded", 1)


async def test_an_event_from_a_subscription_nobody_knows_says_so(local: LocalAssay) -> None:
    unknown = "99999999-9999-4999-8999-999999999999"
    await tell(local, elsewhere(unknown, "stranger"))

    await asyncio.sleep(QUIET_SECONDS)

    assert "stranger" not in [v["name"] for v in await local.assay.vms()]
    listed = await local.assay.http.call("GET", "/api/v1/subscriptions")
    (stranger,) = (s for s in listed["items"] if s["id"] == unknown)
    assert "SubscriptionNotFound" in stranger["problem"]
    assert "give the identity Assay runs as" in stranger["problem"]
