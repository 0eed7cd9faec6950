"""Events of Azure Policy: whom they are about, and what is kept of them."""

import logging
from typing import Any

import pytest

from shared.domain.identifiers import vm_key
from shared.domain.vm_record import PolicyState
from shared.events import route
from shared.messages import RecordPolicyState, TrackVm
from tests.fakes.fleet import COMPUTE, vm_facts
from tests.fakes.world import NOON, World

VM = f"{COMPUTE}/virtualmachines/vm-1"
GUEST = "providers/Microsoft.GuestConfiguration/guestConfigurationAssignments"


def event(subject: str = VM, change: str = "Changed", **data: Any) -> dict[str, Any]:
    return {
        "id": "e",
        "topic": "/subscriptions/x",
        "subject": subject,
        "eventType": f"Microsoft.PolicyInsights.PolicyState{change}",
        "eventTime": "2026-11-22T12:30:00Z",
        "data": {
            "timestamp": "2026-11-22T11:00:00.1234567Z",
            "policyAssignmentId": "/providers/Microsoft.Authorization/policyAssignments/A",
            "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/D",
            "policyDefinitionReferenceId": "",
            "complianceState": "NonCompliant",
            "complianceReasonCode": "",
            **data,
        },
    }


async def deliver(world: World, *events: dict[str, Any]) -> tuple[PolicyState, ...]:
    """Deliver events as Event Grid would; return the states held on the VM."""
    for each in events:
        await world.intake.receive_event("policy", each)
        world._collect()  # what the trigger put into queues
        await world.drain()
    assert (await world.records.parked.list()).items == ()
    return (await world.records.vms.get(vm_key(VM))).value.policy_states


def test_a_guest_configuration_is_about_its_vm() -> None:
    [command] = route(event(f"{VM.upper()}/{GUEST}/AzureLinuxBaseline"), {})
    assert isinstance(command, RecordPolicyState)
    assert (command.resource_id, command.about) == (VM, "azurelinuxbaseline")


def test_the_reason_code_is_kept_unless_the_state_is_deleted() -> None:
    reason = {"complianceState": "Exempt", "complianceReasonCode": "Waiver"}
    [said] = route(event(**reason), {})
    [gone] = route(event(change="Deleted", **reason), {})
    assert isinstance(said, RecordPolicyState)
    assert isinstance(gone, RecordPolicyState)
    assert (said.state, said.reason_code) == ("exempt", "Waiver")
    assert (gone.state, gone.reason_code) == ("", "")


@pytest.mark.parametrize(
    "subject",
    [
        f"{COMPUTE}/virtualMachineScaleSets/api/{GUEST}/x",
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/arc"
        f"/{GUEST}/x",
        f"/subscriptions/s/resourceGroups/rg/{GUEST}/x",
        f"{VM}/{GUEST}/x/reports/1",
        f"{VM}/extensions/agent",
        f"{COMPUTE}/disks/d",
    ],
)
async def test_what_is_not_tracked_is_dropped_without_noise(
    subject: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    with caplog.at_level(logging.DEBUG, logger="assay"):
        await deliver(world, event(subject))
    assert world.delivered == []
    assert caplog.records == []


async def test_three_spellings_are_one_vm() -> None:
    world = World()
    held = await deliver(
        world,
        event(VM, complianceState="Compliant"),
        event(VM.upper(), timestamp="2026-11-22T11:30:00Z"),
        event(f"{VM}/", complianceState="Exempt", timestamp="2026-11-22T11:15:00Z"),
    )
    assert [(s.state, s.about) for s in held] == [("noncompliant", "")]


async def test_states_in_a_subscription_nobody_knows_wait_for_the_vm() -> None:
    world = World()
    held = await deliver(world, event(), event(f"{VM}/{GUEST}/gc", complianceState="Compliant"))
    assert [(s.state, s.about) for s in held] == [("noncompliant", ""), ("compliant", "gc")]
    world.fleet.put(vm_facts("vm-1"))
    world.send(TrackVm(resource_id=VM))
    await world.drain()
    record = (await world.records.vms.get(vm_key(VM))).value.record
    assert record
    assert (record.policy, record.policy_as_of) == ("noncompliant", held[0].timestamp)


async def test_a_clock_far_ahead_blocks_no_later_word() -> None:
    world = World()
    ahead = event(timestamp="2030-01-01T00:00:00Z")
    held = await deliver(world, ahead, ahead)
    assert held[0].timestamp == NOON
    held = await deliver(
        world, event(complianceState="Compliant", timestamp="2026-11-22T12:04:00Z")
    )
    assert held[0].state == "compliant"


async def test_the_history_tells_which_guest_configuration_spoke() -> None:
    world = World()
    world.fleet.put(vm_facts("vm-1"))
    world.send(TrackVm(resource_id=VM))
    await deliver(world, event(f"{VM}/{GUEST}/gc"))
    line = (await world.records.vms.lines(vm_key(VM)))[-1].transition
    assert line.because == "policy assignment a says noncompliant of guest configuration gc"
