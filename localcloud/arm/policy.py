"""The policy states of all resources, and the events their changes are."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from localcloud.arm.events import policy_event
from localcloud.arm.ids import group_of, last_segment, seven_digits, subscription_of, type_of
from localcloud.arm.store import Json

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_POLICY_SCOPES = {
    "policyAssignmentId": "/providers/microsoft.authorization/policyassignments/",
    "policyDefinitionId": "/providers/microsoft.authorization/policydefinitions/",
    "policySetDefinitionId": "/providers/microsoft.authorization/policysetdefinitions/",
}


type _Key = tuple[str, str, str]


class PolicyState(BaseModel):
    """What an evaluation found for one resource under one assignment."""

    model_config = ConfigDict(extra="forbid")

    resource_id: str
    assignment: str
    definition: str = "/providers/microsoft.authorization/policydefinitions/only-gallery-images"
    reference: str = ""
    state: str
    reason: str = ""
    action: str = "audit"


class PolicyStates:
    """The latest state per resource, assignment and definition reference.

    Whatever changes one is an event; `silent` makes it one that nobody is told.
    """

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._rows: dict[_Key, Json] = {}

    def put(self, state: PolicyState, *, silent: bool = False) -> None:
        """Record a state; a new or changed one is an event, an unchanged one is not."""
        key = _key(state.resource_id, state.assignment, state.reference)
        self._record(key, _row(self._cloud, state), silent=silent)

    def restate(self, resource_id: str, assignment: str, reference: str, state: str) -> bool:
        """Give what is known under an assignment another state; False where nothing is known.

        Without a reference, all definitions of the assignment are meant.
        """
        asked = _key(resource_id, assignment, reference)
        found = [
            key for key in self._rows if key == asked or (not reference and key[:2] == asked[:2])
        ]
        for key in found:
            now = seven_digits(self._cloud.clock.now())
            changed = {"complianceState": state, "isCompliant": state == "Compliant"}
            self._record(key, {**self._rows[key], **changed, "timestamp": now}, silent=False)
        return bool(found)

    def delete(self, state: PolicyState, *, silent: bool = False) -> None:
        """Forget a state, with its event; unknown ones are fine."""
        row = self._rows.pop(_key(state.resource_id, state.assignment, state.reference), None)
        if row is not None and not silent:
            row = {**row, "timestamp": seven_digits(self._cloud.clock.now())}
            # No sample of this event is published; the state is taken to be empty.
            gone = {**row, "complianceState": "", "complianceReasonCode": ""}
            self._cloud.events.publish(policy_event(self._cloud, "Deleted", gone))

    def _record(self, key: _Key, row: Json, *, silent: bool) -> None:
        old = self._rows.get(key)
        row["stateId"] = old["stateId"] if old else self._cloud.guids.next().replace("-", "") * 2
        self._rows[key] = row
        if silent:
            return
        if old is None:
            self._cloud.events.publish(policy_event(self._cloud, "Created", row))
        elif old["complianceState"] != row["complianceState"]:
            self._cloud.events.publish(policy_event(self._cloud, "Changed", row))

    def under(self, scope: str) -> list[Json]:
        """The states at and below a scope, or of an assignment or definition, newest first."""
        prefix = scope.lower().rstrip("/")
        column = next((name for name, mark in _POLICY_SCOPES.items() if mark in prefix), None)
        rows = [
            row
            for row in self._rows.values()
            if (row[column] == prefix if column else _inside(str(row["resourceId"]), prefix))
        ]
        return sorted(rows, key=lambda row: str(row["timestamp"]), reverse=True)


def _inside(resource: str, prefix: str) -> bool:
    return resource == prefix or resource.startswith(prefix + "/")


def _key(resource_id: str, assignment: str, reference: str) -> _Key:
    return resource_id.lower(), assignment.lower(), reference.lower()


def _row(cloud: "Cloud", state: PolicyState) -> Json:
    resource = state.resource_id.lower()
    known = cloud.store.get(resource)
    blank = dict.fromkeys(
        (
            "policySetDefinitionId",
            "policySetDefinitionName",
            "policySetDefinitionOwner",
            "policySetDefinitionCategory",
            "policySetDefinitionParameters",
        ),
        "",
    )
    return {
        "timestamp": seven_digits(cloud.clock.now()),
        "resourceId": resource,
        "policyAssignmentId": state.assignment.lower(),
        "policyDefinitionId": state.definition.lower(),
        "effectiveParameters": "",
        "isCompliant": state.state == "Compliant",
        "subscriptionId": subscription_of(resource),
        "resourceType": known.type if known else type_of(state.resource_id),
        "resourceLocation": known.body["location"] if known else "",
        "resourceGroup": group_of(state.resource_id),
        "resourceTags": "tbd",
        "policyAssignmentName": last_segment(state.assignment.lower()),
        "policyAssignmentOwner": "tbd",
        "policyAssignmentParameters": "",
        "policyAssignmentScope": state.assignment.split("/providers/", 1)[0],
        "policyDefinitionName": last_segment(state.definition.lower()),
        "policyDefinitionAction": state.action,
        "policyDefinitionCategory": "tbd",
        **blank,
        "managementGroupIds": "",
        "policyDefinitionReferenceId": state.reference.lower(),
        "complianceState": state.state,
        "policyDefinitionGroupNames": [""],
        "policyDefinitionVersion": "1.0.0",
        "policySetDefinitionVersion": "",
        "policyAssignmentVersion": "",
        "complianceReasonCode": state.reason,
    }
