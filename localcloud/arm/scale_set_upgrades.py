"""Upgrades of scale sets: asked for by a client, or done by the platform without a word."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError, SimulatorStateError, bad_request
from localcloud.arm.machine_models import RETRY_SECONDS
from localcloud.arm.machines import VERSIONS
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.scale_set_instances import (
    INSTANCE,
    SCALE_SET,
    check_image,
    fit_capacity,
    members,
    upgrade,
)
from localcloud.arm.scale_sets import scale_set_of
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_ONE = GROUP + "/providers/Microsoft.Compute/virtualMachineScaleSets/{set}/manualupgrade"
_EVERY = "*"


def upgrade_by_platform(cloud: "Cloud", scale_set_id: str) -> int:
    """Do an automatic OS upgrade: how many instances got a new disk. There is no event of it.

    Only instances that do not run what the model means today are upgraded. Raises
    SimulatorStateError where there is no such scale set, ArmError where its image is gone.
    """
    scale_set = _known(cloud, scale_set_id)
    storage = scale_set.properties["virtualMachineProfile"]["storageProfile"]
    subscription = scale_set_id.split("/")[2]
    location = str(scale_set.body["location"])
    image = check_image(cloud, storage["imageReference"], location, subscription)
    outdated = [
        each
        for each in members(cloud, scale_set)
        if each.properties["storageProfile"]["imageReference"] != image.reference
    ]
    for instance in outdated:
        upgrade(cloud, scale_set, instance)
    return len(outdated)


def autoscale(cloud: "Cloud", scale_set_id: str, capacity: int) -> None:
    """Change how many instances there are, without any event of Resource Manager.

    Raises SimulatorStateError where there is no such scale set or no image for new instances.
    """
    scale_set = _known(cloud, scale_set_id)
    scale_set.body["sku"]["capacity"] = capacity
    problem = fit_capacity(cloud, scale_set)
    if problem is not None:
        raise SimulatorStateError(f"{scale_set.name} did not scale: {problem.message}")


def _known(cloud: "Cloud", scale_set_id: str) -> Resource:
    found = cloud.store.get(scale_set_id)
    if found is None or found.type != SCALE_SET:
        raise SimulatorStateError(f"There is no scale set {scale_set_id}.")
    return found


def _manual(cloud: "Cloud", call: Call) -> Reply:
    scale_set = scale_set_of(cloud, call)
    chosen = _chosen(cloud, scale_set, call.body)

    def done(failure: OperationError | None) -> OperationError | None:
        return failure or _upgraded(cloud, scale_set, chosen)

    location = str(scale_set.body["location"])
    operation = cloud.operations.run(
        call, Family.COMPUTE, location, scale_set.id, duration="scale_set_action", done=done
    )
    headers = cloud.operations.headers(call, operation, location=True, retry=RETRY_SECONDS)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


def _chosen(cloud: "Cloud", scale_set: Resource, body: Json) -> list[str]:
    asked = body.get("instanceIds")
    if not isinstance(asked, list) or not asked:
        raise bad_request("InvalidParameter", "Required parameter 'instanceIds' is missing (null).")
    known = {instance_number(each): each.id for each in members(cloud, scale_set)}
    if asked == [_EVERY]:
        return list(known.values())
    for number in asked:
        if number not in known:
            raise bad_request(
                "InvalidParameter",
                f"The provided instanceId {number} is not an active Virtual Machine Scale Set VM "
                "instanceId.",
                target="instanceIds",
            )
    return [known[number] for number in asked]


def instance_number(instance: Resource) -> str:
    """The instance id: a number in a Uniform set, the machine's name in a Flexible one."""
    return str(instance.body["instanceId"]) if instance.type == INSTANCE else instance.name


def _upgraded(cloud: "Cloud", scale_set: Resource, chosen: list[str]) -> OperationError | None:
    try:
        for target in chosen:
            instance = cloud.store.get(target)
            if instance is not None:
                upgrade(cloud, scale_set, instance)
    except ArmError as refusal:
        return OperationError(refusal.code, refusal.message)
    return None


ROUTES = [
    Route(
        "VirtualMachineScaleSets_UpdateInstances",
        "POST",
        _ONE,
        _manual,
        VERSIONS,
        f"{SCALE_SET}/manualupgrade/action",
    )
]
