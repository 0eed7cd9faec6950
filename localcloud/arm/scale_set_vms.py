"""Microsoft.Compute operations on the instances of a scale set."""

from collections.abc import Callable
from copy import deepcopy
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError
from localcloud.arm.machine_models import RETRY_SECONDS, instance_view
from localcloud.arm.machines import VERSIONS
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.requests import page
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.scale_set_instances import INSTANCE, SCALE_SET, members, remove_all, upgrade
from localcloud.arm.scale_sets import scale_set_of
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_LIST = GROUP + "/providers/Microsoft.Compute/virtualMachineScaleSets/{set}/virtualMachines"
_ONE = _LIST + "/{instance}"


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
    scale_set = scale_set_of(cloud, call)
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
    scale_set = scale_set_of(cloud, call)
    instance = _instance_of(cloud, call, scale_set)
    body = _shown(scale_set, instance)
    body["properties"]["resilientVMDeletionStatus"] = "Disabled"
    if call.expands("instanceView"):
        body["properties"]["instanceView"] = instance_view(cloud, instance)
    return Reply(body=body)


def _view(cloud: "Cloud", call: Call) -> Reply:
    instance = _instance_of(cloud, call, scale_set_of(cloud, call))
    where = {
        "placementGroupId": instance.facts["placement"],
        "platformUpdateDomain": 0,
        "platformFaultDomain": 0,
    }
    return Reply(body={**where, **instance_view(cloud, instance)})


def _delete(cloud: "Cloud", call: Call) -> Reply:
    scale_set = scale_set_of(cloud, call)
    instance = _instance_of(cloud, call, scale_set)

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None and cloud.store.get(instance.id) is not None:
            remove_all(cloud, [instance])
            scale_set.body["sku"]["capacity"] -= 1
        return failure

    return _accepted(cloud, call, instance, done)


def _reimage(cloud: "Cloud", call: Call) -> Reply:
    scale_set = scale_set_of(cloud, call)
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
