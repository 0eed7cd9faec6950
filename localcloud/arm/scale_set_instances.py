"""The instances of scale sets: Uniform ones of their own kind, Flexible ones as ordinary VMs."""

from copy import deepcopy
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError
from localcloud.arm.ids import compute_id, group_of, subscription_of, with_offset
from localcloud.arm.image_resolution import ResolvedImage, resolve_image
from localcloud.arm.machine_disks import boot
from localcloud.arm.machines import MACHINE, new_machine, remove_machine
from localcloud.arm.operations import OperationError
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"
INSTANCE = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"


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
    """Give an instance the model's image on a new disk, as an upgrade or re-image does.

    The instance itself stays: its id, `vmId` and time of creation. Raises ArmError where there
    is no such image.
    """
    old_disk = str(instance.properties["storageProfile"]["osDisk"]["managedDisk"]["id"])
    if instance.type == INSTANCE:
        fresh = _uniform(cloud, scale_set, str(instance.body["instanceId"]))
        fresh.properties["vmId"] = instance.properties["vmId"]
        fresh.properties["timeCreated"] = instance.properties["timeCreated"]
    else:
        asked = deepcopy(scale_set.properties["virtualMachineProfile"]["storageProfile"])
        instance.properties["storageProfile"] = boot(cloud, instance, asked, with_profile=False)
        instance.facts["asked_image"] = asked["imageReference"]
    instance.facts["model"] = scale_set.facts["model"]
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
            **_os_profile(profile, number),
            "hardwareProfile": {"vmSize": scale_set.body["sku"]["name"]},
            "virtualMachineScaleSet": {"id": scale_set.id},
        },
        tags=dict(scale_set.body["tags"]),
    )
    machine.facts["model"] = scale_set.facts["model"]
    machine.properties["provisioningState"] = "Succeeded"


def _os_profile(profile: Json, number: int) -> Json:
    if "osProfile" not in profile:
        return {}  # a specialized image is set up already
    asked = deepcopy(profile["osProfile"])
    prefix = asked.pop("computerNamePrefix", "vm")
    return {"osProfile": {"computerName": f"{prefix}{number:06d}", **asked}}


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
        **_os_profile(profile, int(number)),
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
    instance.facts.update(
        power="running",
        model=scale_set.facts["model"],
        placement=scale_set.properties["uniqueId"],
    )
    profile = boot(cloud, instance, asked, with_profile=False)
    profile["osDisk"]["deleteOption"] = "Delete"
    return profile
