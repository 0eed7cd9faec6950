"""Machine configuration: what its agent found in a VM, as Microsoft.GuestConfiguration shows it.

Nothing is assigned or audited here; the findings are put. The fields are those of Microsoft's
specification guestconfiguration.json, api-version 2024-04-05.
"""

import hashlib
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from localcloud.arm.errors import SimulatorStateError
from localcloud.arm.machines import MACHINE
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

ASSIGNMENT = "Microsoft.GuestConfiguration/guestConfigurationAssignments"
_VERSION = "1.0.0"


class Reason(BaseModel):
    """Why a setting is, or is not, as it should be."""

    model_config = ConfigDict(extra="forbid")

    code: str
    phrase: str


class GuestAssignment(BaseModel):
    """A configuration assigned to a VM, and what its latest audit found (Pending: none yet)."""

    model_config = ConfigDict(extra="forbid")

    resource_id: str
    name: str
    status: Literal["Compliant", "NonCompliant", "Pending"]
    reasons: list[Reason] = []


class GuestConfiguration:
    """The assignments of all VMs."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud

    def put(self, asked: GuestAssignment) -> str:
        """Assign, or report anew; returns the id. Raises SimulatorStateError without the VM."""
        machine = self._cloud.store.get(asked.resource_id)
        if machine is None or machine.type != MACHINE:
            raise SimulatorStateError(f"There is no virtual machine '{asked.resource_id}'.")
        target = f"{machine.id}/providers/{ASSIGNMENT}/{asked.name}"
        body: Json = {
            "id": target,
            "name": asked.name,
            "type": ASSIGNMENT,
            "location": machine.body["location"],
            "properties": _properties(self._cloud, target, machine, asked),
        }
        self._cloud.store.put(Resource(target, ASSIGNMENT, body))
        return target

    def delete(self, resource_id: str, name: str) -> None:
        """Take an assignment away; unknown ones are fine."""
        self._cloud.store.delete(f"{resource_id}/providers/{ASSIGNMENT}/{name}")

    def listing(self) -> list[Json]:
        """All assignments, as their provider shows them."""
        return [each.body for each in self._cloud.store.of_type(ASSIGNMENT)]


def _properties(cloud: "Cloud", target: str, machine: Resource, asked: GuestAssignment) -> Json:
    shown: Json = {
        "targetResourceId": machine.id,
        "guestConfiguration": {
            "name": asked.name,
            "version": _VERSION,
            "contentUri": "",
            "contentHash": "",
            "configurationParameter": [],
        },
        "complianceStatus": asked.status,
        "lastComplianceStatusChecked": None,
        "latestReportId": None,
        "parameterHash": "",
        "context": "Azure Policy",
        "assignmentHash": hashlib.sha256(asked.name.encode()).hexdigest().upper(),
        "provisioningState": "Succeeded",
        "resourceType": "VM",
    }
    if asked.status == "Pending":
        return shown
    report = _report(cloud, target, machine, asked)
    return {
        **shown,
        "lastComplianceStatusChecked": report["endTime"],
        "latestReportId": report["id"],
        "latestAssignmentReport": report,
    }


def _report(cloud: "Cloud", target: str, machine: Resource, asked: GuestAssignment) -> Json:
    report_id = cloud.guids.next()
    now = f"{cloud.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    return {
        "id": f"{target}/reports/{report_id}",
        "reportId": report_id,
        "assignment": {
            "name": asked.name,
            "configuration": {"name": asked.name, "version": _VERSION},
        },
        "vm": {"id": machine.id, "uuid": machine.properties["vmId"]},
        "startTime": now,
        "endTime": now,
        "complianceStatus": asked.status,
        "operationType": "Consistency",
        "resources": [
            {
                "complianceStatus": asked.status,
                "resourceId": f"[{asked.name}]{asked.name}",
                "reasons": [reason.model_dump() for reason in asked.reasons],
                "properties": {},
            }
        ],
    }
