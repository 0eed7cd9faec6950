"""Azure Resource Graph: one query operation, over what the simulated cloud holds."""

import base64
import binascii
from typing import TYPE_CHECKING, Any

from localcloud.arm.errors import bad_request
from localcloud.arm.gallery import VERSION
from localcloud.arm.ids import group_of, subscription_of
from localcloud.arm.kql import Query, parse
from localcloud.arm.machines import MACHINE
from localcloud.arm.routing import Call, Reply, Route
from localcloud.arm.scale_set_instances import INSTANCE, SCALE_SET
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2021-03-01", "2022-10-01", "2024-04-01"})
_TYPES = {"resources": (MACHINE, SCALE_SET, VERSION), "computeresources": (INSTANCE,)}
# Azure docs, "Working with large data sets": 100 rows unless asked, 1,000 at most.
_DEFAULT_TOP, _MOST = 100, 1000


def _row(resource: Resource) -> Json:
    return {
        "id": resource.id,
        "name": resource.body["name"],
        "type": resource.type.lower(),  # Resource Graph lower-cases types
        "location": resource.body["location"],
        "resourceGroup": group_of(resource.id).lower(),
        "subscriptionId": subscription_of(resource.id),
        "tags": resource.body.get("tags") or {},
        "properties": resource.properties,
        "sku": resource.body.get("sku"),
        "identity": resource.body.get("identity"),
    }


def _resources(cloud: "Cloud", call: Call) -> Reply:
    text = call.body.get("query")
    if not isinstance(text, str):
        raise bad_request("BadRequest", "The 'query' of the request is missing.")
    query = parse(text)
    options = call.body.get("options") or {}
    rows = query.run(_visible(cloud, call, query))
    start = _start(options)
    top = min(int(options.get("$top") or _DEFAULT_TOP), _MOST)
    shown = rows[start : start + top]
    body: Json = {
        "totalRecords": len(rows),
        "count": len(shown),
        "data": _table(shown) if options.get("resultFormat") == "table" else shown,
        "facets": [],
        "resultTruncated": "false",
    }
    if start + top < len(rows):
        body["$skipToken"] = base64.b64encode(str(start + top).encode()).decode()
    return Reply(
        body=body,
        headers={"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05"},
    )


def _visible(cloud: "Cloud", call: Call, query: Query) -> list[Json]:
    wanted = {str(each).lower() for each in call.body.get("subscriptions") or []}
    return [
        _row(resource)
        for kind in _TYPES[query.table]
        for resource in cloud.store.of_type(kind)
        if not wanted or subscription_of(resource.id).lower() in wanted
    ]


def _start(options: Json) -> int:
    token = options.get("$skipToken")
    if not token:
        return int(options.get("$skip") or 0)
    try:
        return int(base64.b64decode(str(token)).decode())
    except (binascii.Error, ValueError) as error:
        raise bad_request("BadRequest", "The $skipToken is not one of ours.") from error


def _table(rows: list[Json]) -> Json:
    names = list(rows[0]) if rows else []
    values: list[list[Any]] = [[row[name] for name in names] for row in rows]
    types = {dict: "object", bool: "boolean", int: "integer"}
    columns = [{"name": name, "type": types.get(type(rows[0][name]), "string")} for name in names]
    return {"columns": columns, "rows": values}


ROUTES = [
    Route(
        "Resources",
        "POST",
        "/providers/Microsoft.ResourceGraph/resources",
        _resources,
        VERSIONS,
    )
]
