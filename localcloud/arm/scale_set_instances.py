"""The instances of scale sets: Uniform ones of their own kind, Flexible ones as ordinary VMs."""

from collections.abc import Callable
from copy import deepcopy
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError
from localcloud.arm.ids import compute_id, group_of, subscription_of, with_offset
from localcloud.arm.image_resolution import ResolvedImage, resolve_image
from localcloud.arm.machine_models import instance_view, storage_profile
from localcloud.arm.machines import (
    MACHINE,
    RETRY_SECONDS,
    VERSIONS,
    new_machine,
    remove_machine,
)
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.requests import page, require
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"
INSTANCE = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
_SET = GROUP + "/providers/Microsoft.Compute/virtualMachineScaleSets/{set}"
_LIST = _SET + "/virtualMachines"
_ONE = _LIST + "/{instance}"


def check_image(cloud: "Cloud", reference: Json, location: str, subscription: str) -> ResolvedImage:
    """The image new instances would get now; raises ArmError where there is none."""
    return resolve_image(cloud, reference, location, subscription)


def members(cloud: "Cloud", scale_set: Resource) -> list[Resource]:
    """The instances, oldest first."""
    if scale_set.properties["orchestrationMode"] == "Uniform":
        return list(cloud.store.of_type(INSTANCE, scale_set.id))
    key = scale_set.id.lower()
    return [
        machine
        for machine in cloud.store.of_type(MACHINE)
        if str(machine.properties.get("virtualMachineScaleSet", {}).get("id", "")).lower() == key
    ]


def fit_capacity(cloud: "Cloud", scale_set: Resource) -> OperationError | None:
    """Add or remove instances until there are as many as the SKU says."""
    there = members(cloud, scale_set)
    wanted = int(scale_set.body["sku"]["capacity"])
    remove_all(cloud, there[wanted:])
    try:
        for _ in range(wanted - len(there)):
            _add(cloud, scale_set)
    except ArmError as refusal:
        return OperationError(refusal.code, refusal.message)
    return None


def remove_all(cloud: "Cloud", machines: list[Resource]) -> None:
    """Delete instances with their disks."""
    for machine in machines:
        remove_machine(cloud, machine)


def upgrade(cloud: "Cloud", scale_set: Resource, instance: Resource) -> None:
    """Give an instance the model's image, as an upgrade or re-image does."""
    old_disk = str(instance.properties["storageProfile"]["osDisk"]["managedDisk"]["id"])
    fresh = _uniform(cloud, scale_set, str(instance.body["instanceId"]))
    fresh.properties["vmId"] = instance.properties["vmId"]
    fresh.properties["timeCreated"] = instance.properties["timeCreated"]
    cloud.store.delete(old_disk)


def _add(cloud: "Cloud", scale_set: Resource) -> None:
    number = int(scale_set.facts["next"])
    scale_set.facts["next"] = number + 1
    if scale_set.properties["orchestrationMode"] == "Uniform":
        _uniform(cloud, scale_set, str(number))
        return
    profile = scale_set.properties["virtualMachineProfile"]
    subscription, group = subscription_of(scale_set.id), group_of(scale_set.id)
    name = f"{scale_set.name}_{cloud.guids.next()[:8]}"
    machine = new_machine(
        cloud,
        compute_id(subscription, group, "virtualMachines", name),
        str(scale_set.body["location"]),
        {
            **deepcopy(profile),
            "osProfile": _os_profile(profile, number),
            "hardwareProfile": {"vmSize": scale_set.body["sku"]["name"]},
            "virtualMachineScaleSet": {"id": scale_set.id},
        },
        tags=dict(scale_set.body["tags"]),
    )
    machine.properties["provisioningState"] = "Succeeded"


def _os_profile(profile: Json, number: int) -> Json:
    asked = deepcopy(profile.get("osProfile") or {})
    prefix = asked.pop("computerNamePrefix", "vm")
    return {"computerName": f"{prefix}{number:06d}", **asked}


def _uniform(cloud: "Cloud", scale_set: Resource, number: str) -> Resource:
    profile = scale_set.properties["virtualMachineProfile"]
    target = f"{scale_set.id}/virtualMachines/{number}"
    size = scale_set.body["sku"]["name"]
    body: Json = {
        "name": f"{scale_set.name}_{number}",
        "id": target,
        "type": INSTANCE,
        "location": scale_set.body["location"],
        "tags": dict(scale_set.body["tags"]),
        "instanceId": number,
        "sku": {"name": size, "tier": "Standard"},
        "etag": '"1"',
    }
    instance = Resource(target, INSTANCE, body)
    network = deepcopy(profile.get("networkProfile") or {})
    body["properties"] = {
        "latestModelApplied": True,
        "modelDefinitionApplied": "VirtualMachineScaleSet",
        "networkProfileConfiguration": network,
        "provisioningState": "Succeeded",
        "hardwareProfile": {"vmSize": size},
        "vmId": cloud.guids.next(),
        "storageProfile": _boot(cloud, scale_set, instance),
        "osProfile": _os_profile(profile, int(number)),
        "networkProfile": {
            "networkInterfaces": [
                {"id": f"{target}/networkInterfaces/{config['name']}"}
                for config in network.get("networkInterfaceConfigurations") or []
            ]
        },
        "timeCreated": with_offset(cloud.clock.now()),
    }
    return cloud.store.put(instance)


def _boot(cloud: "Cloud", scale_set: Resource, instance: Resource) -> Json:
    """Give an instance the model's image as of now; returns its storage profile."""
    asked = deepcopy(scale_set.properties["virtualMachineProfile"]["storageProfile"])
    location, subscription = str(scale_set.body["location"]), subscription_of(scale_set.id)
    image = resolve_image(cloud, asked["imageReference"], location, subscription)
    instance.facts.update(
        guest=image.guest,
        power="running",
        model=scale_set.facts["model"],
        placement=scale_set.properties["uniqueId"],
    )
    profile = storage_profile(cloud, asked, image, instance, group_of(scale_set.id))
    profile["osDisk"]["deleteOption"] = "Delete"
    return profile


def _shown(scale_set: Resource, instance: Resource) -> Json:
    body = deepcopy(instance.body)
    current = instance.facts["model"] == scale_set.facts["model"]
    body["properties"]["latestModelApplied"] = current
    # Recorded: the delete option is a matter of the model, instances do not show it.
    del body["properties"]["storageProfile"]["osDisk"]["deleteOption"]
    return body


def shown_instance(cloud: "Cloud", instance: Resource) -> Json:
    """An instance of a Uniform set as everybody sees it."""
    scale_set = cloud.store.get(instance.id.rsplit("/virtualMachines/", 1)[0])
    return _shown(scale_set, instance) if scale_set is not None else instance.body


def _set_of(cloud: "Cloud", call: Call) -> Resource:
    name = call.params["set"]
    target = compute_id(call.sub, call.rg, "virtualMachineScaleSets", name)
    return require(cloud, target, SCALE_SET, name, call.rg)


def _instance_of(cloud: "Cloud", call: Call, scale_set: Resource) -> Resource:
    number = call.params["instance"]
    found = cloud.store.get(f"{scale_set.id}/virtualMachines/{number}")
    if found is None or scale_set.properties["orchestrationMode"] != "Uniform":
        raise ArmError(
            HTTPStatus.NOT_FOUND,
            "NotFound",
            f"The entity {number} was not found in the scale set '{scale_set.name}'.",
        )
    return found


def _list(cloud: "Cloud", call: Call) -> Reply:
    scale_set = _set_of(cloud, call)
    flexible = scale_set.properties["orchestrationMode"] == "Flexible"
    view = call.expands("instanceView")

    def show(machine: Resource) -> Json:
        row = (_flexible_row if flexible else _shown)(scale_set, machine)
        if view:
            row.setdefault("properties", {})["instanceView"] = instance_view(cloud, machine)
        return row

    return page(cloud, call, members(cloud, scale_set), show)


def _flexible_row(scale_set: Resource, machine: Resource) -> Json:
    return {
        "name": machine.name,
        "id": f"{scale_set.id}/virtualMachines/{machine.name}",
        "type": INSTANCE,
        "location": machine.body["location"],
        "instanceId": machine.name,
    }


def _get(cloud: "Cloud", call: Call) -> Reply:
    scale_set = _set_of(cloud, call)
    instance = _instance_of(cloud, call, scale_set)
    body = _shown(scale_set, instance)
    body["properties"]["resilientVMDeletionStatus"] = "Disabled"
    if call.expands("instanceView"):
        body["properties"]["instanceView"] = instance_view(cloud, instance)
    return Reply(body=body)


def _view(cloud: "Cloud", call: Call) -> Reply:
    instance = _instance_of(cloud, call, _set_of(cloud, call))
    where = {
        "placementGroupId": instance.facts["placement"],
        "platformUpdateDomain": 0,
        "platformFaultDomain": 0,
    }
    return Reply(body={**where, **instance_view(cloud, instance)})


def _delete(cloud: "Cloud", call: Call) -> Reply:
    scale_set = _set_of(cloud, call)
    instance = _instance_of(cloud, call, scale_set)

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None and cloud.store.get(instance.id) is not None:
            remove_all(cloud, [instance])
            scale_set.body["sku"]["capacity"] -= 1
        return failure

    return _accepted(cloud, call, instance, done)


def _reimage(cloud: "Cloud", call: Call) -> Reply:
    scale_set = _set_of(cloud, call)
    instance = _instance_of(cloud, call, scale_set)

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None and cloud.store.get(instance.id) is not None:
            upgrade(cloud, scale_set, instance)
        return failure

    return _accepted(cloud, call, instance, done)


def _accepted(
    cloud: "Cloud",
    call: Call,
    instance: Resource,
    done: "Callable[[OperationError | None], OperationError | None]",
) -> Reply:
    location = str(instance.body["location"])
    operation = cloud.operations.run(
        call, Family.COMPUTE, location, instance.id, duration="scale_set_action", done=done
    )
    headers = cloud.operations.headers(call, operation, location=True, retry=RETRY_SECONDS)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


_DELETE = f"{SCALE_SET}/virtualMachines/delete"
_REIMAGE = f"{SCALE_SET}/virtualMachines/reimage/action"
ROUTES = [
    Route("VirtualMachineScaleSetVMs_List", "GET", _LIST, _list, VERSIONS),
    Route("VirtualMachineScaleSetVMs_Get", "GET", _ONE, _get, VERSIONS),
    Route(
        "VirtualMachineScaleSetVMs_GetInstanceView", "GET", _ONE + "/instanceView", _view, VERSIONS
    ),
    Route("VirtualMachineScaleSetVMs_Delete", "DELETE", _ONE, _delete, VERSIONS, _DELETE),
    Route(
        "VirtualMachineScaleSetVMs_Reimage", "POST", _ONE + "/reimage", _reimage, VERSIONS, _REIMAGE
    ),
]
