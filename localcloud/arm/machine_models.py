"""What a virtual machine says of itself: disk, agent, power, network."""

from copy import deepcopy
from typing import TYPE_CHECKING

from localcloud.arm.ids import compute_id, with_offset
from localcloud.arm.image_resolution import ResolvedImage
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

DISK = "Microsoft.Compute/disks"
_SECRET_OS_FIELDS = ("adminPassword", "customData")
_LINUX_DEFAULTS: Json = {"provisionVMAgent": True, "disablePasswordAuthentication": False}
_WINDOWS_DEFAULTS: Json = {
    "provisionVMAgent": True,
    "enableAutomaticUpdates": True,
    "enableVMAgentPlatformUpdates": False,
}
_AGENT_VERSION = "2.11.1.12"


def os_profile(asked: Json, guest_os: str) -> Json:
    """The OS profile without its secrets, with Azure's defaults."""
    profile = {k: v for k, v in deepcopy(asked).items() if k not in _SECRET_OS_FIELDS}
    windows = guest_os == "Windows"
    key = "windowsConfiguration" if windows else "linuxConfiguration"
    default = _WINDOWS_DEFAULTS if windows else _LINUX_DEFAULTS
    profile[key] = {**default, **(profile.get(key) or {})}
    return {
        **profile,
        "secrets": profile.get("secrets") or [],
        "allowExtensionOperations": True,
        "requireGuestProvisionSignal": True,
    }


def storage_profile(
    cloud: "Cloud", asked: Json, image: ResolvedImage, owner: Resource, group: str
) -> Json:
    """The storage profile of a machine, whose disk is made on the way."""
    disk = deepcopy(asked.get("osDisk") or {})
    name = disk.get("name") or f"{owner.name}_OsDisk_1_{cloud.guids.next().replace('-', '')}"
    subscription = owner.id.split("/")[2]
    disk_id = compute_id(subscription, group, "disks", name)
    managed = {"storageAccountType": "Premium_LRS", **(disk.get("managedDisk") or {})}
    size = disk.get("diskSizeGB") or image.size_gb
    make_disk(cloud, disk_id, owner, image, size=size, sku=str(managed["storageAccountType"]))
    return {
        "imageReference": image.reference,
        "osDisk": {
            "osType": image.guest.os,
            "name": name,
            "createOption": "FromImage",
            "caching": disk.get("caching", "ReadWrite"),
            "managedDisk": {**managed, "id": disk_id},
            "deleteOption": disk.get("deleteOption", "Detach"),
            "diskSizeGB": size,
        },
        "dataDisks": [],
        **{key: asked[key] for key in ("diskControllerType",) if key in asked},
    }


def make_disk(
    cloud: "Cloud", disk_id: str, owner: Resource, image: ResolvedImage, *, size: int, sku: str
) -> Resource:
    """The OS disk of a machine, which says what image it was made from."""
    gigabyte = 1024**3
    body: Json = {
        "name": disk_id.rsplit("/", 1)[-1],
        "id": disk_id,
        "type": DISK,
        "location": owner.body["location"],
        "tags": {},
        "managedBy": owner.id,
        "sku": {"name": sku, "tier": sku.split("_", 1)[0]},
        "properties": {
            "osType": image.guest.os,
            "hyperVGeneration": "V2",
            "supportedCapabilities": {"architecture": "x64"},
            "creationData": deepcopy(image.creation_data),
            "diskSizeGB": size,
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
            "timeCreated": with_offset(cloud.clock.now()),
            "provisioningState": "Succeeded",
            "diskState": "Attached",
            "diskSizeBytes": size * gigabyte,
            "uniqueId": cloud.guids.next(),
        },
    }
    return cloud.store.put(Resource(disk_id, DISK, body))


def network_profile(asked: Json, subscription: str, group: str) -> Json:
    """The network profile; interfaces described in the request are made without being asked."""
    interfaces = deepcopy(asked.get("networkInterfaces") or [])
    for index, config in enumerate(asked.get("networkInterfaceConfigurations") or []):
        wanted = config.get("properties") or {}
        interfaces.append(
            {
                "id": f"/subscriptions/{subscription}/resourceGroups/{group}/providers/"
                f"Microsoft.Network/networkInterfaces/{config['name']}",
                "properties": {
                    "primary": bool(wanted.get("primary", index == 0)),
                    "deleteOption": wanted.get("deleteOption", "Detach"),
                },
            }
        )
    return {"networkInterfaces": interfaces}


def instance_view(cloud: "Cloud", machine: Resource) -> Json:
    """The instance view: agent, disk and power of a machine."""
    now = with_offset(cloud.clock.now())
    power = str(machine.facts["power"])
    provisioned = _provisioning_status(machine, now)
    view: Json = {
        **_agent_part(machine, now),
        "disks": [
            {
                "name": machine.properties["storageProfile"]["osDisk"]["name"],
                "statuses": [provisioned],
            }
        ],
        "hyperVGeneration": "V2",
        "statuses": [
            provisioned,
            {"code": f"PowerState/{power}", "level": "Info", "displayStatus": f"VM {power}"},
        ],
    }
    return view


def _provisioning_status(machine: Resource, now: str) -> Json:
    state = str(machine.properties["provisioningState"])
    status: Json = {
        "code": f"ProvisioningState/{state.lower()}",
        "level": "Error" if state == "Failed" else "Info",
        "displayStatus": f"Provisioning {state.lower()}",
        "time": now,
    }
    if state == "Failed":
        status["message"] = machine.facts.get("failure", "")
    return status


def _agent_part(machine: Resource, now: str) -> Json:
    if machine.facts["power"] != "running":
        return {}  # recorded: a stopped machine says nothing of its agent
    ready = machine.properties["provisioningState"] in {"Succeeded", "Updating"}
    agent: Json = {
        "vmAgentVersion": _AGENT_VERSION if ready else "Unknown",
        "statuses": [_agent_status(now, ready=ready)],
    }
    if not ready:
        return {"vmAgent": agent}
    guest = machine.facts["guest"]
    profile = machine.properties.get("osProfile", {})
    return {
        "computerName": profile.get("computerName", machine.name),
        "osName": "Windows Server" if guest.os == "Windows" else "linux",
        "osVersion": "10.0" if guest.os == "Windows" else "5.15",
        "vmAgent": {**agent, "extensionHandlers": []},
    }


def _agent_status(now: str, *, ready: bool) -> Json:
    if ready:
        return {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Ready",
            "message": "Guest Agent is running",
            "time": now,
        }
    return {
        "code": "ProvisioningState/Unavailable",
        "level": "Warning",
        "displayStatus": "Not Ready",
        "message": "VM status blob is found but not yet populated.",
        "time": now,
    }
