"""Microsoft.Compute managed disks and snapshots, which have the same life."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.disk_models import DISK, SNAPSHOT, new_volume, resize
from localcloud.arm.disk_sources import content_of
from localcloud.arm.errors import conflict
from localcloud.arm.ids import compute_id
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.regions import require_region
from localcloud.arm.requests import page, properties_of, require, scope_of, tags_of
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2023-10-02", "2024-03-02", "2025-01-02", "2026-03-02"})


@dataclass(frozen=True)
class _Kind:
    """Disks or snapshots: their type, how paths and operations name them, the usual SKU."""

    type: str
    segment: str
    operations: str
    sku: str


_DISKS = _Kind(DISK, "disks", "Disks", "Premium_LRS")
_SNAPSHOTS = _Kind(SNAPSHOT, "snapshots", "Snapshots", "Standard_LRS")


def _target(kind: _Kind, call: Call) -> str:
    return compute_id(call.sub, call.rg, kind.segment, call.params["name"])


def _one(kind: _Kind, cloud: "Cloud", call: Call) -> Resource:
    return require(cloud, _target(kind, call), kind.type, call.params["name"], call.rg)


def _put(kind: _Kind, cloud: "Cloud", call: Call) -> Reply:
    existing = cloud.store.get(_target(kind, call))
    if existing is not None:
        return _update(cloud, call, existing)
    location = require_region(call.body.get("location"))
    asked = properties_of(call)
    content = content_of(cloud, asked, location, call.sub)
    call.creates = True
    sku = (call.body.get("sku") or {}).get("name") or kind.sku
    volume = new_volume(cloud, kind.type, _target(kind, call), location, content, sku=sku)
    volume.body["tags"] = tags_of(call)
    for key in ("zones", "extendedLocation"):
        if key in call.body:
            volume.body[key] = deepcopy(call.body[key])
    volume.facts["asked"] = {"sku": {"name": sku}, "properties": asked}
    return _settle(cloud, call, volume)


def _update(cloud: "Cloud", call: Call, volume: Resource) -> Reply:
    asked = properties_of(call)
    current = volume.properties["creationData"]
    given = asked.get("creationData") or {}
    for key in ("createOption", "sourceResourceId"):
        if key in given and given[key] != current.get(key):
            raise conflict(
                "PropertyChangeNotAllowed",
                f"Changing property 'creationData.{key}' is not allowed.",
                target=f"creationData.{key}",
            )
    if "tags" in call.body:
        volume.body["tags"] = tags_of(call)
    size = int(asked.get("diskSizeGB") or volume.properties["diskSizeGB"])
    resize(volume, size, (call.body.get("sku") or {}).get("name") or volume.body["sku"]["name"])
    volume.facts.pop("asked", None)
    return _settle(cloud, call, volume)


def _settle(cloud: "Cloud", call: Call, volume: Resource) -> Reply:
    volume.properties["provisioningState"] = "Updating"

    def done(failure: OperationError | None) -> OperationError | None:
        volume.properties["provisioningState"] = "Failed" if failure else "Succeeded"
        return failure

    headers = _run(cloud, call, volume, done)
    return Reply(HTTPStatus.ACCEPTED, _shown(volume), headers)


def _run(
    cloud: "Cloud",
    call: Call,
    volume: Resource,
    done: "Callable[[OperationError | None], OperationError | None]",
) -> dict[str, str]:
    location = str(volume.body["location"])
    operation = cloud.operations.run(
        call, Family.DISK, location, volume.id, duration="disk", done=done
    )
    return cloud.operations.headers(call, operation, location=True)


def _shown(volume: Resource) -> Json:
    # Recorded: until a disk is made, it shows little but what was asked for.
    asked = volume.facts.get("asked")
    if volume.properties["provisioningState"] != "Updating" or asked is None:
        return volume.body
    properties = {**deepcopy(asked["properties"]), "provisioningState": "Updating"}
    return {**volume.body, "sku": asked["sku"], "properties": properties}


def _get(kind: _Kind, cloud: "Cloud", call: Call) -> Reply:
    return Reply(body=_shown(_one(kind, cloud, call)))


def _list(kind: _Kind, cloud: "Cloud", call: Call) -> Reply:
    return page(cloud, call, list(cloud.store.of_type(kind.type, scope_of(call))), _shown)


def _patch(kind: _Kind, cloud: "Cloud", call: Call) -> Reply:
    return _update(cloud, call, _one(kind, cloud, call))


def _delete(kind: _Kind, cloud: "Cloud", call: Call) -> Reply:
    volume = cloud.store.get(_target(kind, call))
    if volume is None:
        return Reply(HTTPStatus.NO_CONTENT)
    if "managedBy" in volume.body:
        raise conflict(
            "OperationNotAllowed",
            f"Disk {volume.name} is attached to VM {volume.body['managedBy']}.",
        )

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None:
            cloud.store.delete(volume.id)
        return failure

    return Reply(HTTPStatus.ACCEPTED, headers=_run(cloud, call, volume, done))


def _routes(kind: _Kind) -> list[Route]:
    listed = f"{GROUP}/providers/{kind.type}"
    one = listed + "/{name}"
    everywhere = f"/subscriptions/{{sub}}/providers/{kind.type}"
    write, delete = f"{kind.type}/write", f"{kind.type}/delete"
    name, versions = kind.operations, VERSIONS
    put, patch, get = partial(_put, kind), partial(_patch, kind), partial(_get, kind)
    show_all, remove = partial(_list, kind), partial(_delete, kind)
    return [
        Route(f"{name}_CreateOrUpdate", "PUT", one, put, versions, write),
        Route(f"{name}_Update", "PATCH", one, patch, versions, write),
        Route(f"{name}_Get", "GET", one, get, versions),
        Route(f"{name}_ListByResourceGroup", "GET", listed, show_all, versions),
        Route(f"{name}_List", "GET", everywhere, show_all, versions),
        Route(f"{name}_Delete", "DELETE", one, remove, versions, delete),
    ]


ROUTES = [*_routes(_DISKS), *_routes(_SNAPSHOTS)]
