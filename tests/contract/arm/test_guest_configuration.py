"""What the agents of machine configuration found, as Resource Graph tells it."""

from typing import Any

import pytest
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.resourcegraph.models import QueryRequest

from localcloud.arm import ArmSimulator
from localcloud.arm.errors import SimulatorStateError
from localcloud.arm.guest_configuration import GuestAssignment, Reason
from tests.contract.arm.requests import GROUP, UBUNTU, machine

_VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/Web"


def _assignment(status: Any = "NonCompliant", *phrases: str) -> GuestAssignment:
    return GuestAssignment(
        resource_id=_VM,
        name="AssayTattoo",
        status=status,
        reasons=[Reason(code="Assay:Tattoo", phrase=phrase) for phrase in phrases],
    )


async def _read(graph: Any, name: str = "AssayTattoo") -> list[Any]:
    answer = await graph.resources(
        QueryRequest(
            query="GuestConfigurationResources "
            "| where type =~ 'microsoft.guestconfiguration/guestconfigurationassignments' "
            f"| where name =~ '{name}' | where properties.targetResourceId =~ '{_VM.lower()}' "
            "| project id, vm = properties.targetResourceId, "
            "status = properties.complianceStatus, "
            "checked = properties.lastComplianceStatusChecked, "
            "report = properties.latestAssignmentReport | limit 1"
        )
    )
    return list(answer.data)


async def test_an_assignment_is_found_with_its_reasons(
    arm: ArmSimulator, compute: ComputeManagementClient, graph: Any
) -> None:
    await compute.virtual_machines.begin_create_or_update("rg", "Web", machine(UBUNTU))

    arm.cloud.guest_configuration.put(_assignment("NonCompliant", "build b-1"))

    (row,) = await _read(graph)
    report = row["report"]
    assert row["id"] == (
        f"{_VM}/providers/Microsoft.GuestConfiguration/guestConfigurationAssignments/AssayTattoo"
    )
    assert (row["vm"], row["status"]) == (_VM, "NonCompliant")
    assert row["checked"] == report["endTime"]
    assert report["resources"][0]["reasons"] == [{"code": "Assay:Tattoo", "phrase": "build b-1"}]
    assert report["vm"]["id"] == _VM
    assert await _read(graph, "Other") == []


async def test_a_later_report_replaces_the_one_before_and_a_pending_one_has_none(
    arm: ArmSimulator, compute: ComputeManagementClient, graph: Any
) -> None:
    await compute.virtual_machines.begin_create_or_update("rg", "Web", machine(UBUNTU))
    put = arm.cloud.guest_configuration.put

    put(_assignment("Pending"))
    (pending,) = await _read(graph)
    put(_assignment("Compliant", "fine"))
    (done,) = await _read(graph)
    arm.cloud.guest_configuration.delete(_VM, "AssayTattoo")

    assert (pending["status"], pending["checked"], pending["report"]) == ("Pending", None, None)
    assert done["status"] == "Compliant"
    assert await _read(graph) == []


async def test_assignments_go_with_their_machine_and_need_one(
    arm: ArmSimulator, compute: ComputeManagementClient, graph: Any
) -> None:
    await compute.virtual_machines.begin_create_or_update("rg", "Web", machine(UBUNTU))
    arm.cloud.guest_configuration.put(_assignment())

    await (await compute.virtual_machines.begin_delete("rg", "Web")).result()

    assert await _read(graph) == []
    with pytest.raises(SimulatorStateError):
        arm.cloud.guest_configuration.put(_assignment())
