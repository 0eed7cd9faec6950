"""Microsoft.Authorization: policy assignments of a subscription or resource group, by their names.

They are only kept: what an evaluation under one finds is told by a control.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.requests import properties_of
from localcloud.arm.routing import GROUP, SUBSCRIPTION, Call, Reply, Route
from localcloud.arm.store import Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2022-06-01"})
ASSIGNMENT = "Microsoft.Authorization/policyAssignments"
_ONE = f"/providers/{ASSIGNMENT}/{{assignment}}"


def _put(cloud: "Cloud", call: Call) -> Reply:
    asked = properties_of(call)
    if not asked.get("policyDefinitionId"):
        raise bad_request(
            "InvalidCreatePolicyAssignmentRequest",
            "The policy assignment create request is invalid: no policy definition is named.",
        )
    name = call.params["assignment"]
    call.creates = cloud.store.get(call.path) is None
    scope = call.path.split("/providers/", 1)[0]
    properties = {**asked, "scope": scope, "enforcementMode": "Default"}
    body = {"properties": properties, "id": call.path, "type": ASSIGNMENT, "name": name}
    return Reply(HTTPStatus.CREATED, cloud.store.put(Resource(call.path, ASSIGNMENT, body)).body)


def _get(cloud: "Cloud", call: Call) -> Reply:
    found = cloud.store.get(call.path)
    if found is None:
        name = call.params["assignment"]
        raise ArmError(
            HTTPStatus.NOT_FOUND,
            "PolicyAssignmentNotFound",
            f"The policy assignment '{name}' is not found.",
        )
    return Reply(body=found.body)


ROUTES = [
    Route("PolicyAssignments_Create", "PUT", path, _put, VERSIONS, f"{ASSIGNMENT}/write")
    for path in (SUBSCRIPTION + _ONE, GROUP + _ONE)
] + [
    Route("PolicyAssignments_Get", "GET", path, _get, VERSIONS)
    for path in (SUBSCRIPTION + _ONE, GROUP + _ONE)
]
