"""The disk a machine boots: made from an image, attached as it is, or swapped for another.

Rules: "Swap the OS disk used by an Azure VM" and "Create a VM from a specialized disk",
Microsoft Learn.
"""

from copy import deepcopy
from typing import TYPE_CHECKING

from localcloud.arm.disk_models import DISK, Content, guest_on, new_volume
from localcloud.arm.errors import ArmError, bad_request, conflict, resource_not_found
from localcloud.arm.ids import compute_id, group_of, last_segment, subscription_of
from localcloud.arm.image_resolution import ResolvedImage, resolve_image
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


def boot(cloud: "Cloud", machine: Resource, asked: Json, *, with_profile: bool) -> Json:
    """Give a new machine the disk it asks for; returns its storage profile.

    Raises ArmError where the image or disk is not to be had, and where the request has an OS
    profile (*with_profile*) for a system that is set up already.
    """
    reference = asked.get("imageReference") or {}
    if (asked.get("osDisk") or {}).get("createOption") == "Attach":
        if reference:
            raise bad_request(
                "InvalidParameter",
                "Cannot attach an existing OS disk if the VM is created from a platform, user or "
                "a shared gallery image.",
                target="osDisk",
            )
        refuse_profile(specialized=True, with_profile=with_profile)
        return _attach(cloud, machine, asked["osDisk"])
    location, subscription = str(machine.body["location"]), subscription_of(machine.id)
    image = resolve_image(cloud, reference, location, subscription)
    refuse_profile(specialized=image.specialized, with_profile=with_profile)
    machine.facts.update(guest=image.guest, specialized=image.specialized)
    return _from_image(cloud, machine, asked, image)


def refuse_profile(*, specialized: bool, with_profile: bool) -> None:
    """Raise ArmError for an OS profile where the system is set up already."""
    if specialized and with_profile:
        raise bad_request(
            "InvalidParameter", "Parameter 'osProfile' is not allowed.", target="osProfile"
        )


def _from_image(cloud: "Cloud", machine: Resource, asked: Json, image: ResolvedImage) -> Json:
    disk = deepcopy(asked.get("osDisk") or {})
    name = disk.get("name") or f"{machine.name}_OsDisk_1_{cloud.guids.next().replace('-', '')}"
    disk_id = compute_id(subscription_of(machine.id), group_of(machine.id), "disks", name)
    managed = {"storageAccountType": "Premium_LRS", **(disk.get("managedDisk") or {})}
    size = disk.get("diskSizeGB") or image.size_gb
    new_volume(
        cloud,
        DISK,
        disk_id,
        str(machine.body["location"]),
        Content(image.creation_data, size, image.guest),
        sku=str(managed["storageAccountType"]),
        owner=machine.id,
    )
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


def _attach(cloud: "Cloud", machine: Resource, asked: Json) -> Json:
    disk = _free_disk(cloud, str((asked.get("managedDisk") or {}).get("id") or ""), machine)
    shown: Json = {
        "createOption": "Attach",
        "caching": asked.get("caching", "ReadWrite"),
        "deleteOption": asked.get("deleteOption", "Detach"),
    }
    _put_in(machine, shown, disk, asked, state="Attached")
    return {"osDisk": shown, "dataDisks": []}


def _put_in(machine: Resource, shown: Json, disk: Resource, asked: Json, *, state: str) -> None:
    """Make *disk* the one a machine boots; *shown* is the machine's `osDisk`."""
    guest = guest_on(disk, str(asked.get("osType") or disk.properties.get("osType") or "Linux"))
    shown.update(
        osType=guest.os,
        name=disk.name,
        managedDisk={"storageAccountType": disk.body["sku"]["name"], "id": disk.id},
        diskSizeGB=disk.properties["diskSizeGB"],
    )
    disk.body["managedBy"] = machine.id
    disk.properties["diskState"] = state
    machine.facts["guest"] = guest


def _free_disk(cloud: "Cloud", disk_id: str, machine: Resource) -> Resource:
    if not disk_id:
        raise bad_request(
            "InvalidParameter",
            "Required parameter 'osDisk.managedDisk.id' is missing (null).",
            target="osDisk.managedDisk.id",
        )
    disk = cloud.store.get(disk_id)
    if disk is None or disk.type != DISK:
        raise resource_not_found(DISK, last_segment(disk_id), group_of(disk_id))
    if "managedBy" in disk.body:
        raise conflict(
            "ConflictingUserInput",
            f"Disk '{disk.id}' cannot be attached to VM '{machine.name}': it is owned by VM "
            f"'{disk.body['managedBy']}'.",
            target=disk.id,
        )
    return disk


def check_swap(cloud: "Cloud", machine: Resource, asked: Json) -> bool:
    """True where *asked*, an `osDisk`, names another disk; raises ArmError for what may not be."""
    shown = machine.properties["storageProfile"]["osDisk"]
    if asked.get("createOption") not in {None, shown["createOption"]}:
        raise _not_allowed("osDisk.createOption")
    wanted = str((asked.get("managedDisk") or {}).get("id") or shown["managedDisk"]["id"])
    if wanted.lower() == shown["managedDisk"]["id"].lower():
        if asked.get("name") not in {None, shown["name"]}:
            raise _not_allowed("osDisk.name")
        return False
    if machine.facts["power"] != "deallocated":
        raise conflict(
            "OperationNotAllowed",
            f"The OS disk of VM '{machine.name}' cannot be changed since the VM is not "
            "deallocated.",
            target="osDisk.managedDisk.id",
        )
    _free_disk(cloud, wanted, machine)
    return True


def swap(cloud: "Cloud", machine: Resource, asked: Json) -> None:
    """Let a machine boot another disk; its image reference stays what it was.

    Raises ArmError where the disk has gone to somebody else meanwhile.
    """
    disk = _free_disk(cloud, str(asked["managedDisk"]["id"]), machine)
    shown = machine.properties["storageProfile"]["osDisk"]
    release(cloud, machine)
    _put_in(machine, shown, disk, asked, state="Reserved")


def release(cloud: "Cloud", machine: Resource) -> None:
    """Leave a machine's disk to itself, where it still is there."""
    disk = cloud.store.get(machine.properties["storageProfile"]["osDisk"]["managedDisk"]["id"])
    if disk is not None:
        disk.properties["diskState"] = "Unattached"
        disk.body.pop("managedBy", None)


def follow_power(cloud: "Cloud", machine: Resource) -> None:
    """A disk is `Reserved` while its machine is deallocated."""
    disk = cloud.store.get(machine.properties["storageProfile"]["osDisk"]["managedDisk"]["id"])
    if disk is not None:
        deallocated = machine.facts["power"] == "deallocated"
        disk.properties["diskState"] = "Reserved" if deallocated else "Attached"


def _not_allowed(target: str) -> ArmError:
    return conflict(
        "PropertyChangeNotAllowed", f"Changing property '{target}' is not allowed.", target=target
    )
