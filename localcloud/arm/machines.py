"""Microsoft.Compute virtual machines."""

from copy import deepcopy
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.ids import compute_id, group_of, with_offset
from localcloud.arm.machine_disks import boot, release
from localcloud.arm.machine_models import (
    RETRY_SECONDS,
    instance_view,
    network_profile,
    os_profile,
    shown,
)
from localcloud.arm.machine_updates import provision, update
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.regions import require_region, short_name
from localcloud.arm.requests import page, properties_of, require, scope_of, tags_of
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2022-11-01", "2023-07-01", "2023-09-01", "2024-03-01", "2024-07-01"}) | {
    "2024-11-01",
    "2025-04-01",
    "2026-04-01",
}
_KEPT = (
    "hardwareProfile",
    "securityProfile",
    "diagnosticsProfile",
    "licenseType",
    "virtualMachineScaleSet",
)
MACHINE = "Microsoft.Compute/virtualMachines"
_LIST = GROUP + "/providers/Microsoft.Compute/virtualMachines"
ONE = _LIST + "/{vm}"
_ALL = "/subscriptions/{sub}/providers/Microsoft.Compute/virtualMachines"
_BY_LOCATION = (
    "/subscriptions/{sub}/providers/Microsoft.Compute/locations/{location}/virtualMachines"
)


def machine_of(cloud: "Cloud", call: Call) -> Resource:
    """The machine in the path; raises ArmError (404) where there is none."""
    name = call.params["vm"]
    return require(
        cloud, compute_id(call.sub, call.rg, "virtualMachines", name), MACHINE, name, call.rg
    )


def _put(cloud: "Cloud", call: Call) -> Reply:
    target = compute_id(call.sub, call.rg, "virtualMachines", call.params["vm"])
    existing = cloud.store.get(target)
    if existing is not None:
        return update(cloud, call, existing)
    location = require_region(call.body.get("location"))
    properties = properties_of(call)
    call.creates = True
    machine = new_machine(
        cloud, target, location, properties, tags=tags_of(call), identity=call.body.get("identity")
    )
    if "zones" in call.body:
        machine.body["zones"] = call.body["zones"]
    headers = provision(cloud, call, machine, "vm_write")
    return Reply(HTTPStatus.CREATED, shown(machine), headers)


def new_machine(
    cloud: "Cloud",
    target: str,
    location: str,
    properties: Json,
    *,
    tags: Json,
    identity: Json | None = None,
) -> Resource:
    """Store a machine in the state Creating; raises ArmError where its disk is not to be had."""
    subscription, group = target.split("/")[2], group_of(target)
    storage = properties.get("storageProfile") or {}
    body: Json = {
        "name": target.rsplit("/", 1)[-1],
        "id": target,
        "type": MACHINE,
        "location": location,
        "tags": tags,
    }
    if identity:
        body["identity"] = deepcopy(identity)
    machine = Resource(target, MACHINE, body, facts={"power": "running"})
    machine.facts["asked_image"] = deepcopy(storage.get("imageReference"))
    disks = boot(cloud, machine, storage, with_profile=bool(properties.get("osProfile")))
    body["properties"] = {
        **_given_properties(properties),
        "provisioningState": "Creating",
        "vmId": cloud.guids.next(),
        "storageProfile": disks,
        "networkProfile": network_profile(
            properties.get("networkProfile") or {}, subscription, group
        ),
        "timeCreated": with_offset(cloud.clock.now()),
    }
    if properties.get("osProfile"):
        guest = machine.facts["guest"]
        body["properties"]["osProfile"] = os_profile(properties["osProfile"], guest.os)
    body["etag"] = '"1"'
    return cloud.store.put(machine)


def _given_properties(asked: Json) -> Json:
    kept = {key: asked[key] for key in _KEPT if key in asked}
    return {"hardwareProfile": {"vmSize": "Standard_D2s_v3"}, **kept}


def _with_view(cloud: "Cloud", machine: Resource) -> Json:
    body = shown(machine)
    body["properties"]["instanceView"] = instance_view(cloud, machine)
    return body


def _get(cloud: "Cloud", call: Call) -> Reply:
    machine = machine_of(cloud, call)
    return Reply(
        body=_with_view(cloud, machine) if call.expands("instanceView") else shown(machine)
    )


def _view(cloud: "Cloud", call: Call) -> Reply:
    return Reply(body=instance_view(cloud, machine_of(cloud, call)))


def _list(cloud: "Cloud", call: Call) -> Reply:
    machines = list(cloud.store.of_type(MACHINE, scope_of(call)))
    if "location" in call.params:
        wanted = short_name(call.params["location"])
        machines = [m for m in machines if m.body["location"] == wanted]
    if call.query.get("statusOnly") == "true":
        return page(cloud, call, machines, lambda machine: _with_view(cloud, machine))
    return page(cloud, call, machines, shown)


def _delete(cloud: "Cloud", call: Call) -> Reply:
    target = compute_id(call.sub, call.rg, "virtualMachines", call.params["vm"])
    machine = cloud.store.get(target)
    if machine is None:
        return Reply(HTTPStatus.NO_CONTENT)
    machine.properties["provisioningState"] = "Deleting"

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None:
            remove_machine(cloud, machine)
        return failure

    location = str(machine.body["location"])
    operation = cloud.operations.run(
        call, Family.COMPUTE, location, target, duration="vm_delete", done=done
    )
    headers = cloud.operations.headers(call, operation, location=True, retry=RETRY_SECONDS)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


def remove_machine(cloud: "Cloud", machine: Resource) -> None:
    """Delete a machine, and its disk where that goes with it."""
    disk = machine.properties["storageProfile"]["osDisk"]
    if disk.get("deleteOption") == "Delete":
        cloud.store.delete(disk["managedDisk"]["id"])
    else:
        release(cloud, machine)
    cloud.store.delete(machine.id)


_WRITE, _DELETE = f"{MACHINE}/write", f"{MACHINE}/delete"
ROUTES = [
    Route("VirtualMachines_CreateOrUpdate", "PUT", ONE, _put, VERSIONS, _WRITE),
    Route(
        "VirtualMachines_Update",
        "PATCH",
        ONE,
        lambda cloud, call: update(cloud, call, machine_of(cloud, call)),
        VERSIONS,
        _WRITE,
    ),
    Route("VirtualMachines_Get", "GET", ONE, _get, VERSIONS),
    Route("VirtualMachines_Delete", "DELETE", ONE, _delete, VERSIONS, _DELETE),
    Route("VirtualMachines_InstanceView", "GET", ONE + "/instanceView", _view, VERSIONS),
    Route("VirtualMachines_List", "GET", _LIST, _list, VERSIONS),
    Route("VirtualMachines_ListAll", "GET", _ALL, _list, VERSIONS),
    Route("VirtualMachines_ListByLocation", "GET", _BY_LOCATION, _list, VERSIONS),
]
