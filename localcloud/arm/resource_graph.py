"""Azure Resource Graph: one query operation, over what the simulated cloud holds."""

from typing import TYPE_CHECKING, Any

from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.events import TENANT_ID
from localcloud.arm.gallery import VERSION
from localcloud.arm.guest_configuration import ASSIGNMENT
from localcloud.arm.ids import group_of, subscription_of
from localcloud.arm.kql import COLUMNS, Query, parse
from localcloud.arm.machines import MACHINE
from localcloud.arm.routing import Call, Reply, Route
from localcloud.arm.scale_set_instances import INSTANCE, SCALE_SET
from localcloud.arm.scale_set_vms import shown_instance
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2021-03-01", "2022-10-01", "2024-04-01"})
_TYPES = {
    "resources": (MACHINE, SCALE_SET, VERSION),
    "computeresources": (INSTANCE,),
    "guestconfigurationresources": (ASSIGNMENT,),
}
# Azure docs, "Working with large data sets": 100 rows unless asked, 1,000 at most.
_DEFAULT_TOP, _MOST = 100, 1000
# The last two change nothing here: they are about other tables and about 10,000 subscriptions.
_OPTIONS = {
    *("$top", "$skip", "$skipToken", "resultFormat"),
    *("authorizationScopeFilter", "allowPartialScopes"),
}


def _row(cloud: "Cloud", resource: Resource) -> Json:
    body = shown_instance(cloud, resource) if resource.type == INSTANCE else resource.body
    known = {
        "id": resource.id,
        "name": body["name"],
        "type": resource.type.lower(),  # Resource Graph lower-cases types
        "tenantId": TENANT_ID,
        "location": body["location"],
        "resourceGroup": group_of(resource.id).lower(),
        "subscriptionId": subscription_of(resource.id),
        "tags": body.get("tags") or {},
        "properties": body["properties"],
    }
    return {column: known.get(column, body.get(column)) for column in COLUMNS}


def _resources(cloud: "Cloud", call: Call) -> Reply:
    quota = cloud.graph.take(call.correlation_id)
    try:
        return Reply(body=_answer(cloud, call), headers=quota)
    except ArmError as refusal:
        refusal.headers.update(quota)
        raise


def _answer(cloud: "Cloud", call: Call) -> Json:
    text = call.body.get("query")
    if not isinstance(text, str):
        raise bad_request("BadRequest", "The 'query' of the request is missing.")
    options = _options(call)
    query = parse(text)
    rows = query.run(_visible(cloud, call, query))
    start = _start(cloud, options)
    top = _top(options)
    shown = rows[start : start + top]
    more = start + top < len(rows)
    # Azure docs, "Working with large data sets": without its id, a result cannot be paged.
    paged = more and "id" in query.columns
    body: Json = {
        "totalRecords": len(rows),
        "count": len(shown),
        "data": _table(shown) if options.get("resultFormat") == "table" else shown,
        "facets": [],
        "resultTruncated": "true" if more and not paged else "false",
    }
    if paged:
        body["$skipToken"] = cloud.graph.token(start + top)
    return body


def _options(call: Call) -> Json:
    for part in ("managementGroups", "facets"):
        if call.body.get(part):
            raise bad_request("BadRequest", f"The '{part}' of a query are not simulated.")
    options: Json = call.body.get("options") or {}
    unknown = set(options) - _OPTIONS
    if unknown:
        raise bad_request("BadRequest", f"The options {sorted(unknown)} are not simulated.")
    return options


def _visible(cloud: "Cloud", call: Call, query: Query) -> list[Json]:
    """The rows of the table in the subscriptions asked for; the unreadable ones are left out."""
    asked = {str(each).lower() for each in call.body.get("subscriptions") or []}
    readable = {subscription.lower() for subscription in cloud.tenant.readable()}
    searched = asked & readable if asked else readable
    if not searched:
        raise _none_eligible(asked)
    return [
        row for row in _rows(cloud, query.table) if str(row["subscriptionId"]).lower() in searched
    ]


def _rows(cloud: "Cloud", table: str) -> list[Json]:
    if table == "resourcecontainers":
        found = cloud.tenant.containers()
        return [{column: row.get(column) for column in COLUMNS} for row in found]
    return [
        _row(cloud, resource) for kind in _TYPES[table] for resource in cloud.store.of_type(kind)
    ]


def _none_eligible(asked: set[str]) -> ArmError:
    return bad_request(
        "BadRequest",
        "Please provide below info when asking for support.",
        details=[
            {
                "code": "NoValidSubscriptionsInQueryRequest",
                "message": "There must be at least one subscription that is eligible to contain "
                f"resources. Given: '{','.join(sorted(asked))}'.",
            }
        ],
    )


def _top(options: Json) -> int:
    top = options.get("$top") or _DEFAULT_TOP
    if not isinstance(top, int) or not 1 <= top <= _MOST:
        raise bad_request("BadRequest", f"The $top must be from 1 to {_MOST}, not {top!r}.")
    return top


def _start(cloud: "Cloud", options: Json) -> int:
    token = options.get("$skipToken")
    return cloud.graph.start(str(token)) if token else int(options.get("$skip") or 0)


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
