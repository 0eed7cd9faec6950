"""What managed images say of themselves."""

from typing import TYPE_CHECKING

from localcloud.arm.guests import Guest
from localcloud.arm.store import Json, Resource
from localcloud.arm.version_models import LINUX_GB, WINDOWS_GB

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

MANAGED_IMAGE = "Microsoft.Compute/images"


def managed_image(
    cloud: "Cloud", target: str, location: str, os_disk: Json, guest: Guest
) -> Resource:
    """Store a finished managed image; *os_disk* says what its system disk is made from."""
    body: Json = {
        "name": target.rsplit("/", 1)[-1],
        "id": target,
        "type": MANAGED_IMAGE,
        "location": location,
        "tags": {},
        "properties": {
            "storageProfile": {
                "osDisk": {"caching": "ReadWrite", **os_disk},
                "dataDisks": [],
                "zoneResilient": False,
            },
            "hyperVGeneration": "V2",
            "provisioningState": "Succeeded",
        },
    }
    return cloud.store.put(Resource(target, MANAGED_IMAGE, body, facts={"guest": guest}))


def size_of(image: Resource) -> int:
    """The size of a managed image's system disk, in GiB."""
    disk = image.properties["storageProfile"]["osDisk"]
    usual = WINDOWS_GB if disk["osType"] == "Windows" else LINUX_GB
    return int(disk.get("diskSizeGB", usual))
