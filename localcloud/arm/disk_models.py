"""What managed disks and snapshots say of themselves."""

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcloud.arm.guests import Guest
from localcloud.arm.ids import with_offset
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

DISK = "Microsoft.Compute/disks"
SNAPSHOT = "Microsoft.Compute/snapshots"
_GIGABYTE = 1024**3
# Azure docs, "Scalability and performance targets for VM disks": GiB, tier, IOPS, MB/s.
_PREMIUM = (
    (32, "P4", 120, 25),
    (64, "P6", 240, 50),
    (128, "P10", 500, 100),
    (256, "P15", 1100, 125),
    (512, "P20", 2300, 150),
    (1024, "P30", 5000, 200),
    (2048, "P40", 7500, 250),
    (4096, "P50", 7500, 250),
    (8192, "P60", 16000, 500),
    (16384, "P70", 18000, 750),
    (32767, "P80", 20000, 900),
)


@dataclass(frozen=True)
class Content:
    """What is on a disk, and what its body tells of where that came from."""

    creation_data: Json
    size_gb: int
    guest: Guest | None = None
    """The system on it; None for a disk that holds none."""
    generation: str = "V2"


def new_volume(
    cloud: "Cloud",
    kind: str,
    target: str,
    location: str,
    content: Content,
    *,
    sku: str,
    owner: str = "",
) -> Resource:
    """Store a disk or a snapshot (*kind*), finished; *owner* is the machine a disk is made with."""
    body: Json = {
        "name": target.rsplit("/", 1)[-1],
        "id": target,
        "type": kind,
        "location": location,
        "tags": {},
        **({"managedBy": owner} if owner else {}),
        "sku": {"name": sku, "tier": sku.split("_", 1)[0]},
        "properties": {
            **_system(content),
            "creationData": deepcopy(content.creation_data),
            **_size(kind, sku, content.size_gb),
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            **({"incremental": False} if kind == SNAPSHOT else {}),
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
            "timeCreated": with_offset(cloud.clock.now()),
            "provisioningState": "Succeeded",
            "diskState": "Attached" if owner else "Unattached",
            "uniqueId": cloud.guids.next(),
        },
    }
    facts = {} if content.guest is None else {"guest": content.guest}
    return cloud.store.put(Resource(target, kind, body, facts=facts))


def _system(content: Content) -> Json:
    if content.guest is None:
        return {}
    return {
        "osType": content.guest.os,
        "hyperVGeneration": content.generation,
        "supportedCapabilities": {"architecture": "x64"},
    }


def _size(kind: str, sku: str, size_gb: int) -> Json:
    size: Json = {"diskSizeGB": size_gb, "diskSizeBytes": size_gb * _GIGABYTE}
    if kind == DISK and sku.startswith("Premium_"):
        for most, tier, operations, megabytes in _PREMIUM:
            if size_gb <= most:
                speed = {"diskIOPSReadWrite": operations, "diskMBpsReadWrite": megabytes}
                return {**size, **speed, "tier": tier}
    return size


def resize(volume: Resource, size_gb: int, sku: str) -> None:
    """Give a disk or snapshot another size or SKU."""
    volume.body["sku"] = {"name": sku, "tier": sku.split("_", 1)[0]}
    volume.properties.update(_size(volume.type, sku, size_gb))


def guest_on(disk: Resource, os_type: str) -> Guest:
    """The system on a disk; one that nothing is known of where there is none."""
    found: Guest = disk.facts.setdefault("guest", Guest(os=os_type))
    return found
