"""Microsoft.PolicyInsights: policy states and evaluation scans."""

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from localcloud.arm.errors import bad_request
from localcloud.arm.events import policy_event
from localcloud.arm.ids import group_of, last_segment, seven_digits, subscription_of
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.requests import next_link, whole_number
from localcloud.arm.routing import GROUP, SUBSCRIPTION, Call, Reply, Route
from localcloud.arm.store import Json

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2019-10-01", "2024-10-01"})
_STATES = "/providers/Microsoft.PolicyInsights/policyStates/latest"
_TERM = re.compile(r"^\s*(\w+)\s+(eq|ne)\s+(?:'([^']*)'|(true|false))\s*$", re.IGNORECASE)
_DEFAULT_PAGE = 1000
_POLICY_SCOPES = {
    "policyAssignmentId": "/providers/microsoft.authorization/policyassignments/",
    "policyDefinitionId": "/providers/microsoft.authorization/policydefinitions/",
    "policySetDefinitionId": "/providers/microsoft.authorization/policysetdefinitions/",
}


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
    """The latest state per resource, assignment and definition reference."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._rows: dict[tuple[str, str, str], Json] = {}

    def put(self, state: PolicyState) -> None:
        """Record a state; a new or changed one is an event, an unchanged one is not."""
        key = _key(state)
        old = self._rows.get(key)
        row = _row(self._cloud, state)
        row["stateId"] = old["stateId"] if old else self._cloud.guids.next().replace("-", "") * 2
        self._rows[key] = row
        if old is None:
            self._cloud.events.publish(policy_event(self._cloud, "Created", row))
        elif old["complianceState"] != row["complianceState"]:
            self._cloud.events.publish(policy_event(self._cloud, "Changed", row))

    def delete(self, state: PolicyState) -> None:
        """Forget a state, with its event; unknown ones are fine."""
        row = self._rows.pop(_key(state), None)
        if row is not None:
            row = {**row, "timestamp": seven_digits(self._cloud.clock.now())}
            # No sample of this event is published; the state is taken to be empty.
            gone = {**row, "complianceState": "", "complianceReasonCode": ""}
            self._cloud.events.publish(policy_event(self._cloud, "Deleted", gone))

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


def _key(state: PolicyState) -> tuple[str, str, str]:
    return state.resource_id.lower(), state.assignment.lower(), state.reference.lower()


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
        "resourceType": known.type if known else "",
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


def _query(cloud: "Cloud", call: Call) -> Reply:
    _refuse_options(call)
    scope = call.path[: call.path.lower().index(_STATES.lower())]
    rows = cloud.policy_states.under(scope)
    for term in _terms(call.query.get("$filter", "")):
        rows = [row for row in rows if _passes(row, *term)]
    start = whole_number(call, "$skiptoken") or 0
    size = min(_DEFAULT_PAGE, cloud.options.page_size)
    top = whole_number(call, "$top")
    end = start + size if top is None else min(start + size, top)
    context = f"https://management.azure.com{scope}{_STATES[: -len('/latest')]}/$metadata#latest"
    following = None
    if end < len(rows) and (top is None or end < top):
        following = next_link(call, end)
    shown = [_shown(row, context) for row in rows[start:end]]
    return Reply(
        body={
            "@odata.nextLink": following,
            "@odata.context": context,
            "@odata.count": len(shown),
            "value": shown,
        }
    )


def _refuse_options(call: Call) -> None:
    for name in ("$apply", "$expand", "$select"):
        if name in call.query:
            raise bad_request("InvalidQueryOption", f"The option '{name}' is not simulated.")


def _shown(row: Json, context: str) -> Json:
    body = {key: value for key, value in row.items() if key != "stateId"}
    return {"@odata.id": None, "@odata.context": f"{context}/$entity", **body}


def _terms(text: str) -> list[tuple[str, str, Any]]:
    if not text:
        return []
    terms = []
    for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE):
        found = _TERM.match(part.strip("() "))
        if found is None:
            raise bad_request("InvalidFilter", f"The filter '{part}' is not simulated.")
        name, operator, string, flag = found.groups()
        terms.append((name, operator.lower(), flag.lower() == "true" if flag else string))
    return terms


def _passes(row: Json, name: str, operator: str, value: Any) -> bool:
    field = {key.lower(): key for key in row}.get(name.lower())
    if field is None:
        raise bad_request("InvalidFilter", f"There is no property '{name}' to filter by.")
    same = str(row[field]).lower() == str(value).lower()
    return same if operator == "eq" else not same


def _scan(cloud: "Cloud", call: Call) -> Reply:
    def done(failure: OperationError | None) -> OperationError | None:
        return failure

    target = call.path[: call.path.lower().index("/providers/microsoft.policyinsights")]
    operation = cloud.operations.run(
        call, Family.POLICY, "", target, duration="policy_scan", done=done
    )
    return Reply(HTTPStatus.ACCEPTED, headers=cloud.operations.policy_location(call, operation))


_QUERY, _TRIGGER = _STATES + "/queryResults", _STATES + "/triggerEvaluation"
_ACTION = "Microsoft.PolicyInsights/policyStates/triggerEvaluation/action"
ROUTES = [
    Route(
        "PolicyStates_ListQueryResultsForSubscription",
        "POST",
        SUBSCRIPTION + _QUERY,
        _query,
        VERSIONS,
    ),
    Route(
        "PolicyStates_ListQueryResultsForResourceGroup", "POST", GROUP + _QUERY, _query, VERSIONS
    ),
    Route(
        "PolicyStates_ListQueryResultsForResource",
        "POST",
        "/?/subscriptions/{sub}/{resource+}" + _QUERY,
        _query,
        VERSIONS,
    ),
    Route(
        "PolicyStates_TriggerSubscriptionEvaluation",
        "POST",
        SUBSCRIPTION + _TRIGGER,
        _scan,
        VERSIONS,
        _ACTION,
    ),
    Route(
        "PolicyStates_TriggerResourceGroupEvaluation",
        "POST",
        GROUP + _TRIGGER,
        _scan,
        VERSIONS,
        _ACTION,
    ),
]
