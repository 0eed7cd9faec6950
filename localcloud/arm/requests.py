"""Small helpers for what requests carry and lists answer."""

import base64
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from localcloud.arm.errors import bad_request, parent_not_found, resource_not_found
from localcloud.arm.routing import Call, Reply
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


def require(cloud: "Cloud", resource_id: str, resource_type: str, name: str, rg: str) -> Resource:
    """The resource; raises the recorded 404 where there is none."""
    found = cloud.store.get(resource_id)
    if found is None:
        raise resource_not_found(resource_type, name, rg)
    return found


def require_parent(cloud: "Cloud", resource_id: str) -> Resource:
    """The parent of a nested resource; raises ArmError (404) where there is none."""
    found = cloud.store.get(resource_id)
    if found is None:
        raise parent_not_found(resource_id.split("/providers/", 1)[-1])
    return found


def properties_of(call: Call) -> Json:
    """A copy of the request's `properties`; raises ArmError (400) where it is not an object."""
    found = call.body.get("properties", {})
    if not isinstance(found, dict):
        raise bad_request("InvalidRequestContent", "The 'properties' of the request is no object.")
    return deepcopy(found)


def tags_of(call: Call) -> Json:
    """A copy of the request's tags; raises ArmError (400) for values that are not strings."""
    tags = call.body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(v, str) for v in tags.values()):
        raise bad_request("InvalidRequestContent", "Tags must be an object of strings.")
    return dict(tags)


def page(cloud: "Cloud", call: Call, rows: list[Json]) -> Reply:
    """One page of a list, with a `nextLink` where there is more."""
    token = call.query.get("$skiptoken", "")
    start = int(base64.urlsafe_b64decode(token).decode()) if token else 0
    end = start + cloud.options.page_size
    body: dict[str, Any] = {"value": rows[start:end]}
    if end < len(rows):
        following = base64.urlsafe_b64encode(str(end).encode()).decode()
        query = "&".join(
            f"{key}={value}" for key, value in call.query.items() if key != "$skiptoken"
        )
        body["nextLink"] = f"{call.base_url}{call.path}?{query}&$skiptoken={following}"
    return Reply(body=body)
