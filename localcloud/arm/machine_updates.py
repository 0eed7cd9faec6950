"""What may be changed of a virtual machine."""

from copy import deepcopy
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError, conflict
from localcloud.arm.machine_disks import check_swap, swap
from localcloud.arm.machine_models import RETRY_SECONDS, shown
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.requests import properties_of, tags_of
from localcloud.arm.routing import Call, Reply
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


def update(cloud: "Cloud", call: Call, machine: Resource) -> Reply:
    """Change a machine as a PUT or PATCH asks; raises ArmError for what cannot be changed."""
    properties = properties_of(call)
    storage = properties.get("storageProfile") or {}
    _refuse_new_image(machine, storage.get("imageReference"))
    disk = storage.get("osDisk") or {}
    other_disk = disk if check_swap(cloud, machine, disk) else None
    if "tags" in call.body:
        machine.body["tags"] = tags_of(call)
    if "identity" in call.body:
        machine.body["identity"] = deepcopy(call.body["identity"])
    if "hardwareProfile" in properties:
        machine.properties["hardwareProfile"] = properties["hardwareProfile"]
    machine.properties["provisioningState"] = "Updating"
    headers = provision(cloud, call, machine, "vm_update", other_disk=other_disk)
    return Reply(body=shown(machine), headers=headers)


def _refuse_new_image(machine: Resource, asked: Json | None) -> None:
    current = machine.properties["storageProfile"].get("imageReference")
    if asked and asked not in (machine.facts["asked_image"], current):
        raise conflict(
            "PropertyChangeNotAllowed",
            "Changing property 'imageReference' is not allowed.",
            target="imageReference",
        )


def provision(
    cloud: "Cloud",
    call: Call,
    machine: Resource,
    duration: str,
    *,
    other_disk: Json | None = None,
) -> dict[str, str]:
    """Run the write of a machine to its end, where it gets *other_disk*; returns headers."""

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None and other_disk is not None:
            failure = _swapped(cloud, machine, other_disk)
        machine.properties["provisioningState"] = "Failed" if failure else "Succeeded"
        machine.facts["failure"] = failure.message if failure else ""
        machine.body["etag"] = f'"{int(machine.body["etag"].strip(chr(34))) + 1}"'
        return failure

    location = str(machine.body["location"])
    operation = cloud.operations.run(
        call, Family.COMPUTE, location, machine.id, duration=duration, done=done
    )
    return cloud.operations.headers(call, operation, retry=RETRY_SECONDS)


def _swapped(cloud: "Cloud", machine: Resource, disk: Json) -> OperationError | None:
    try:
        swap(cloud, machine, disk)
    except ArmError as refusal:
        return OperationError(refusal.code, refusal.message)
    return None
