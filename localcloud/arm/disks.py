"""Microsoft.Compute managed disks: read, list, delete. They are made with their machines."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import conflict
from localcloud.arm.ids import compute_id
from localcloud.arm.machine_models import DISK
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.requests import body_of, page, require
from localcloud.arm.routing import GROUP, Call, Reply, Route

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2023-10-02", "2024-03-02", "2025-01-02", "2026-03-02"})
_LIST = GROUP + "/providers/Microsoft.Compute/disks"
_ALL = "/subscriptions/{sub}/providers/Microsoft.Compute/disks"
_ONE = _LIST + "/{disk}"


def _get(cloud: "Cloud", call: Call) -> Reply:
    name = call.params["disk"]
    target = compute_id(call.sub, call.rg, "disks", name)
    return Reply(body=require(cloud, target, DISK, name, call.rg).body)


def _list(cloud: "Cloud", call: Call) -> Reply:
    under = f"/subscriptions/{call.sub}"
    if call.rg:
        under += f"/resourceGroups/{call.rg}"
    return page(cloud, call, list(cloud.store.of_type(DISK, under)), body_of)


def _delete(cloud: "Cloud", call: Call) -> Reply:
    target = compute_id(call.sub, call.rg, "disks", call.params["disk"])
    disk = cloud.store.get(target)
    if disk is None:
        return Reply(HTTPStatus.NO_CONTENT)
    if "managedBy" in disk.body:
        raise conflict(
            "OperationNotAllowed",
            f"Disk {disk.name} is attached to VM {disk.body['managedBy']}.",
        )

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None:
            cloud.store.delete(target)
        return failure

    operation = cloud.operations.run(
        call, Family.COMPUTE, str(disk.body["location"]), target, duration="vm_update", done=done
    )
    headers = cloud.operations.headers(call, operation, location=True)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


ROUTES = [
    Route("Disks_Get", "GET", _ONE, _get, VERSIONS),
    Route("Disks_ListByResourceGroup", "GET", _LIST, _list, VERSIONS),
    Route("Disks_List", "GET", _ALL, _list, VERSIONS),
    Route("Disks_Delete", "DELETE", _ONE, _delete, VERSIONS, "Microsoft.Compute/disks/delete"),
]
