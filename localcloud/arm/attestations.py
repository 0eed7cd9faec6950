"""Microsoft.PolicyInsights: attestations of resources, which set policy states by hand.

The operations and bodies are those of Microsoft's specification attestations.json, api-version
2022-09-01, at the scope of a resource only.
"""

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError, bad_request, resource_not_found
from localcloud.arm.events import APP_ID
from localcloud.arm.ids import seven_digits, type_of
from localcloud.arm.odata import parse_filter
from localcloud.arm.requests import page, properties_of, whole_number
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2022-09-01", "2024-10-01"})
ATTESTATION = "Microsoft.PolicyInsights/attestations"
_STATES = ("Compliant", "NonCompliant", "Unknown")
# What a `manual` policy says without an attestation, unless its definition says otherwise.
# Azure docs, "Azure Policy definitions manual effect".
_DEFAULT_STATE = "Unknown"
_GIVEN = (
    *("policyAssignmentId", "policyDefinitionReferenceId", "complianceState", "expiresOn"),
    *("owner", "comments", "evidence", "assessmentDate", "metadata"),
)
_LIST = GROUP + "/providers/{resource+}/providers/" + ATTESTATION
_ONE = _LIST + "/{attestation}"


def _put(cloud: "Cloud", call: Call) -> Reply:
    attested = _attested(cloud, call)
    target = f"{attested.id}/providers/{ATTESTATION}/{call.params['attestation']}"
    existing = cloud.store.get(target)
    call.creates = existing is None
    asked = properties_of(call)
    _check(asked)
    expires = _expiry(cloud, asked)
    _state(cloud, call, attested.id, asked)
    attestation = cloud.store.put(
        Resource(target, ATTESTATION, _body(cloud, target, asked, existing))
    )
    if expires is not None:
        cloud.scheduler.after(expires - cloud.clock.now(), lambda: _lapse(cloud, attestation))
    return Reply(HTTPStatus.CREATED if call.creates else HTTPStatus.OK, attestation.body)


def _attested(cloud: "Cloud", call: Call) -> Resource:
    resource_id = call.path[: call.path.lower().rindex(f"/providers/{ATTESTATION}".lower())]
    found = cloud.store.get(resource_id)
    if found is None:
        names = resource_id.rsplit("/providers/", 1)[-1].split("/")[2::2]
        raise resource_not_found(type_of(resource_id), "/".join(names), call.rg)
    return found


def _check(asked: Json) -> None:
    if not asked.get("policyAssignmentId"):
        raise _invalid("The 'policyAssignmentId' of the attestation is missing.")
    if asked.get("complianceState") not in _STATES:
        raise _invalid(f"The 'complianceState' must be one of {', '.join(_STATES)}.")
    unknown = sorted(set(asked) - set(_GIVEN))
    if unknown:
        raise _invalid(f"An attestation has no properties {', '.join(unknown)}.")


def _expiry(cloud: "Cloud", asked: Json) -> datetime | None:
    text = asked.get("expiresOn")
    if text is None:
        return None
    try:
        expires = datetime.fromisoformat(str(text))
        in_future = expires > cloud.clock.now()
    except (TypeError, ValueError) as error:
        raise _invalid(f"The 'expiresOn' {text!r} is no time with an offset.") from error
    if not in_future:
        raise _invalid(f"The 'expiresOn' {text!r} is past (not simulated).")
    return expires


def _state(cloud: "Cloud", call: Call, resource_id: str, asked: Json) -> None:
    """Set the policy state; as in Azure, only what has been evaluated can be attested."""
    assignment = str(asked["policyAssignmentId"])
    reference = str(asked.get("policyDefinitionReferenceId") or "")
    state = str(asked["complianceState"])
    if not cloud.policy_states.restate(resource_id, assignment, reference, state):
        raise _invalid(
            f"Unable to create attestation '{call.params['attestation']}'. No compliance data was "
            f"found for resource '{resource_id}' against policy assignment '{assignment}'."
        )


def _body(cloud: "Cloud", target: str, asked: Json, existing: Resource | None) -> Json:
    now = seven_digits(cloud.clock.now())
    author: Json = {"createdBy": APP_ID, "createdByType": "Application", "createdAt": now}
    changed = now
    if existing is not None:
        author = {key: existing.body["systemData"][key] for key in author}
        if existing.properties["complianceState"] == asked["complianceState"]:
            changed = existing.properties["lastComplianceStateChangeAt"]
    return {
        "properties": {
            **asked,
            "provisioningState": "Succeeded",
            "lastComplianceStateChangeAt": changed,
        },
        "systemData": {
            **author,
            "lastModifiedBy": APP_ID,
            "lastModifiedByType": "Application",
            "lastModifiedAt": now,
        },
        "id": target,
        "name": target.rsplit("/", 1)[-1],
        "type": ATTESTATION,
    }


def _lapse(cloud: "Cloud", attestation: Resource) -> None:
    """At its end, unless it was replaced or deleted before."""
    if cloud.store.get(attestation.id) is attestation:
        _fall_back(cloud, attestation)


def _fall_back(cloud: "Cloud", attestation: Resource) -> None:
    cloud.policy_states.restate(
        attestation.id[: attestation.id.rindex(f"/providers/{ATTESTATION}")],
        str(attestation.properties["policyAssignmentId"]),
        str(attestation.properties.get("policyDefinitionReferenceId") or ""),
        _DEFAULT_STATE,
    )


def _get(cloud: "Cloud", call: Call) -> Reply:
    attested = _attested(cloud, call)
    name = call.params["attestation"]
    found = cloud.store.get(f"{attested.id}/providers/{ATTESTATION}/{name}")
    if found is None:
        raise resource_not_found(ATTESTATION, name, call.rg)
    return Reply(body=found.body)


def _delete(cloud: "Cloud", call: Call) -> Reply:
    attested = _attested(cloud, call)
    target = f"{attested.id}/providers/{ATTESTATION}/{call.params['attestation']}"
    found = cloud.store.get(target)
    if found is None:
        return Reply(HTTPStatus.NO_CONTENT)
    cloud.store.delete(target)
    _fall_back(cloud, found)
    return Reply()


def _list(cloud: "Cloud", call: Call) -> Reply:
    attested = _attested(cloud, call)
    passes = parse_filter(call.query.get("$filter", ""))
    under = f"{attested.id}/providers/{ATTESTATION}"
    rows = [
        each.body
        for each in cloud.store.of_type(ATTESTATION, under)
        if passes({**dict.fromkeys(_GIVEN, ""), **each.properties})
    ]
    return page(cloud, call, rows[: whole_number(call, "$top")], dict)


def _invalid(message: str) -> ArmError:
    return bad_request("InvalidCreateAttestationRequest", message)


_WRITE, _REMOVE = f"{ATTESTATION}/write", f"{ATTESTATION}/delete"
ROUTES = [
    Route("Attestations_CreateOrUpdateAtResource", "PUT", _ONE, _put, VERSIONS, _WRITE),
    Route("Attestations_GetAtResource", "GET", _ONE, _get, VERSIONS),
    Route("Attestations_DeleteAtResource", "DELETE", _ONE, _delete, VERSIONS, _REMOVE),
    Route("Attestations_ListForResource", "GET", _LIST, _list, VERSIONS),
]
