"""Small helpers for what requests carry and lists answer."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

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


def whole_number(call: Call, name: str) -> int | None:
    """A query option that is a number, or None; raises ArmError (400) for anything else."""
    text = call.query.get(name)
    if not text:
        return None
    if not text.isdecimal():
        raise bad_request("InvalidParameter", f"The value '{text}' of '{name}' is no number.")
    return int(text)


def body_of(resource: Resource) -> Json:
    """A resource as it is, for lists that show it whole."""
    return resource.body


def page[Row](cloud: "Cloud", call: Call, rows: Sequence[Row], show: Callable[[Row], Any]) -> Reply:
    """One page of a list, each row as `show` renders it, with a `nextLink` to more."""
    start = whole_number(call, "$skiptoken") or 0
    end = start + cloud.options.page_size
    body: Json = {"value": [show(row) for row in rows[start:end]]}
    if end < len(rows):
        body["nextLink"] = next_link(call, end)
    return Reply(body=body)


def scope_of(call: Call) -> str:
    """The resource group a list is asked of, or the whole subscription."""
    subscription = f"/subscriptions/{call.sub}"
    return f"{subscription}/resourceGroups/{call.rg}" if call.rg else subscription


def next_link(call: Call, start: int) -> str:
    """The URL of the page that begins at row `start`."""
    kept = {key: value for key, value in call.query.items() if key != "$skiptoken"}
    query = urlencode({**kept, "$skiptoken": start}, safe="$")
    return f"{call.base_url}{call.path}?{query}"
