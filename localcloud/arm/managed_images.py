"""Microsoft.Compute managed images: the older kind of image, outside galleries, no versions."""

from copy import deepcopy
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.disk_models import guest_on
from localcloud.arm.disk_sources import source_volume
from localcloud.arm.errors import bad_request, conflict, resource_not_found
from localcloud.arm.guests import Guest
from localcloud.arm.ids import compute_id, group_of, last_segment
from localcloud.arm.image_models import MANAGED_IMAGE, managed_image
from localcloud.arm.machines import MACHINE, VERSIONS
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.regions import require_region
from localcloud.arm.requests import body_of, page, properties_of, require, scope_of, tags_of
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_LIST = GROUP + "/providers/Microsoft.Compute/images"
_ALL = "/subscriptions/{sub}/providers/Microsoft.Compute/images"
_ONE = _LIST + "/{image}"


def _target(call: Call) -> str:
    return compute_id(call.sub, call.rg, "images", call.params["image"])


def _image_of(cloud: "Cloud", call: Call) -> Resource:
    return require(cloud, _target(call), MANAGED_IMAGE, call.params["image"], call.rg)


def _put(cloud: "Cloud", call: Call) -> Reply:
    existing = cloud.store.get(_target(call))
    if existing is not None:
        return _update(cloud, call, existing)
    location = require_region(call.body.get("location"))
    asked = properties_of(call)
    machine_id = str((asked.get("sourceVirtualMachine") or {}).get("id") or "")
    disk, guest = _of_machine(cloud, machine_id) if machine_id else _of_disk(cloud, asked)
    call.creates = True
    image = managed_image(cloud, _target(call), location, disk, guest)
    image.body["tags"] = tags_of(call)
    if machine_id:
        image.properties["sourceVirtualMachine"] = {"id": machine_id}
    zones = (asked.get("storageProfile") or {}).get("zoneResilient")
    image.properties["storageProfile"]["zoneResilient"] = bool(zones)
    return Reply(HTTPStatus.CREATED, image.body, _settle(cloud, call, image, "Creating"))


def _of_machine(cloud: "Cloud", machine_id: str) -> tuple[Json, Guest]:
    machine = cloud.store.get(machine_id)
    if machine is None:
        raise resource_not_found(MACHINE, last_segment(machine_id), group_of(machine_id))
    if not machine.facts.get("generalized"):
        raise conflict(
            "OperationNotAllowed",
            f"The operation 'Create Image' requires the Virtual Machine '{machine.name}' to be "
            "Generalized.",
        )
    shown = machine.properties["storageProfile"]["osDisk"]
    disk = {
        "osType": shown["osType"],
        "osState": "Generalized",
        "managedDisk": {"id": shown["managedDisk"]["id"]},
    }
    return disk, machine.facts["guest"].copy()


def _of_disk(cloud: "Cloud", asked: Json) -> tuple[Json, Guest]:
    disk = deepcopy((asked.get("storageProfile") or {}).get("osDisk") or {})
    for key in ("osType", "osState"):
        if key not in disk:
            raise bad_request(
                "InvalidParameter", f"Required parameter 'osDisk.{key}' is missing (null)."
            )
    source = str((disk.get("managedDisk") or disk.get("snapshot") or {}).get("id") or "")
    if source:
        return disk, guest_on(source_volume(cloud, source), str(disk["osType"])).copy()
    if disk.get("blobUri"):
        return disk, Guest(os=str(disk["osType"]))
    raise bad_request(
        "InvalidParameter",
        "One of the parameters 'managedDisk', 'snapshot' and 'blobUri' of 'osDisk' is needed.",
        target="osDisk",
    )


def _update(cloud: "Cloud", call: Call, image: Resource) -> Reply:
    asked = properties_of(call)
    source = asked.get("sourceVirtualMachine")
    if source and source != image.properties.get("sourceVirtualMachine"):
        raise conflict(
            "PropertyChangeNotAllowed",
            "Changing property 'sourceVirtualMachine' is not allowed.",
            target="sourceVirtualMachine",
        )
    if "tags" in call.body:
        image.body["tags"] = tags_of(call)
    return Reply(body=image.body, headers=_settle(cloud, call, image, "Updating"))


def _settle(cloud: "Cloud", call: Call, image: Resource, state: str) -> dict[str, str]:
    image.properties["provisioningState"] = state

    def done(failure: OperationError | None) -> OperationError | None:
        image.properties["provisioningState"] = "Failed" if failure else "Succeeded"
        return failure

    location = str(image.body["location"])
    operation = cloud.operations.run(
        call, Family.COMPUTE, location, image.id, duration="managed_image", done=done
    )
    return cloud.operations.headers(call, operation)


def _get(cloud: "Cloud", call: Call) -> Reply:
    return Reply(body=_image_of(cloud, call).body)


def _patch(cloud: "Cloud", call: Call) -> Reply:
    return _update(cloud, call, _image_of(cloud, call))


def _list(cloud: "Cloud", call: Call) -> Reply:
    return page(cloud, call, list(cloud.store.of_type(MANAGED_IMAGE, scope_of(call))), body_of)


def _delete(cloud: "Cloud", call: Call) -> Reply:
    image = cloud.store.get(_target(call))
    if image is None:
        return Reply(HTTPStatus.NO_CONTENT)

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None:
            cloud.store.delete(image.id)
        return failure

    location = str(image.body["location"])
    operation = cloud.operations.run(
        call, Family.COMPUTE, location, image.id, duration="managed_image", done=done
    )
    headers = cloud.operations.headers(call, operation, location=True)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


_WRITE, _DELETE = f"{MANAGED_IMAGE}/write", f"{MANAGED_IMAGE}/delete"
ROUTES = [
    Route("Images_CreateOrUpdate", "PUT", _ONE, _put, VERSIONS, _WRITE),
    Route("Images_Update", "PATCH", _ONE, _patch, VERSIONS, _WRITE),
    Route("Images_Get", "GET", _ONE, _get, VERSIONS),
    Route("Images_Delete", "DELETE", _ONE, _delete, VERSIONS, _DELETE),
    Route("Images_ListByResourceGroup", "GET", _LIST, _list, VERSIONS),
    Route("Images_List", "GET", _ALL, _list, VERSIONS),
]
