"""Microsoft.Compute virtual machine scale sets."""

from copy import deepcopy
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import bad_request
from localcloud.arm.ids import compute_id, with_offset
from localcloud.arm.machine_disks import refuse_profile
from localcloud.arm.machine_models import RETRY_SECONDS, os_profile
from localcloud.arm.machines import VERSIONS
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.regions import require_region
from localcloud.arm.requests import body_of, page, properties_of, require, scope_of, tags_of
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.scale_set_instances import (
    SCALE_SET,
    check_image,
    fit_capacity,
    members,
    remove_all,
)
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_LIST = GROUP + "/providers/Microsoft.Compute/virtualMachineScaleSets"
_ONE = _LIST + "/{set}"
_ALL = "/subscriptions/{sub}/providers/Microsoft.Compute/virtualMachineScaleSets"


def scale_set_of(cloud: "Cloud", call: Call) -> Resource:
    """The scale set in the path; raises ArmError (404) where there is none."""
    name = call.params["set"]
    target = compute_id(call.sub, call.rg, "virtualMachineScaleSets", name)
    return require(cloud, target, SCALE_SET, name, call.rg)


def _put(cloud: "Cloud", call: Call) -> Reply:
    target = compute_id(call.sub, call.rg, "virtualMachineScaleSets", call.params["set"])
    existing = cloud.store.get(target)
    if existing is not None:
        return _update(cloud, call, existing)
    location = require_region(call.body.get("location"))
    asked = properties_of(call)
    sku = call.body.get("sku")
    if not isinstance(sku, dict) or "capacity" not in sku:
        raise bad_request("InvalidParameter", "Required parameter 'sku.capacity' is missing.")
    call.creates = True
    body: Json = {
        "name": call.params["set"],
        "id": target,
        "type": SCALE_SET,
        "location": location,
        "tags": tags_of(call),
        "sku": {"tier": "Standard", **sku},
        "etag": '"1"',
        "properties": _model(cloud, asked, location, call.sub),
    }
    scale_set = cloud.store.put(Resource(target, SCALE_SET, body, facts={"model": 1, "next": 0}))
    headers = _provision(cloud, call, scale_set)
    return Reply(HTTPStatus.CREATED, deepcopy(body), headers)


def _model(cloud: "Cloud", asked: Json, location: str, subscription: str) -> Json:
    profile = deepcopy(asked.get("virtualMachineProfile") or {})
    storage = profile.get("storageProfile") or {}
    image = check_image(cloud, storage.get("imageReference") or {}, location, subscription)
    refuse_profile(specialized=image.specialized, with_profile="osProfile" in profile)
    if "osProfile" in profile:
        profile["osProfile"] = os_profile(profile["osProfile"], image.guest.os)
    _fill_network(profile.get("networkProfile") or {})
    mode = asked.get("orchestrationMode", "Uniform")
    now = with_offset(cloud.clock.now())
    disk: Json = {
        "osType": image.guest.os,
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "managedDisk": {"storageAccountType": "Premium_LRS"},
        "diskSizeGB": image.size_gb,
        **(storage.get("osDisk") or {}),
    }
    # The model keeps the wish; only instances know the exact version.
    wish = {k: v for k, v in storage["imageReference"].items() if k != "exactVersion"}
    profile["storageProfile"] = {"osDisk": disk, "imageReference": wish}
    profile["timeCreated"] = now
    flexible: Json = {"constrainedMaximumCapacity": False}
    uniform: Json = {"overprovision": True, "doNotRunExtensionsOnOverprovisionedVMs": False}
    return {
        "singlePlacementGroup": mode == "Uniform",
        "orchestrationMode": mode,
        "upgradePolicy": asked.get("upgradePolicy") or {"mode": "Manual"},
        "virtualMachineProfile": profile,
        "provisioningState": "Creating",
        **(uniform if mode == "Uniform" else flexible),
        "uniqueId": cloud.guids.next(),
        "platformFaultDomainCount": 5 if mode == "Uniform" else 1,
        "timeCreated": now,
    }


def _fill_network(profile: Json) -> None:
    for config in profile.get("networkInterfaceConfigurations") or []:
        properties = config.setdefault("properties", {})
        properties.setdefault("disableTcpStateTracking", False)
        properties.setdefault("dnsSettings", {"dnsServers": []})
        properties.setdefault("enableIPForwarding", False)
        for address in properties.get("ipConfigurations") or []:
            address.setdefault("properties", {}).setdefault("privateIPAddressVersion", "IPv4")


def _provision(cloud: "Cloud", call: Call, scale_set: Resource) -> dict[str, str]:
    def done(failure: OperationError | None) -> OperationError | None:
        problem = failure or fit_capacity(cloud, scale_set)
        scale_set.properties["provisioningState"] = "Failed" if problem else "Succeeded"
        return problem

    location = str(scale_set.body["location"])
    operation = cloud.operations.run(
        call, Family.COMPUTE, location, scale_set.id, duration="scale_set", done=done
    )
    return cloud.operations.headers(call, operation, retry=RETRY_SECONDS)


def _update(cloud: "Cloud", call: Call, scale_set: Resource) -> Reply:
    if "tags" in call.body:
        scale_set.body["tags"] = tags_of(call)
    if "sku" in call.body:
        scale_set.body["sku"].update(call.body["sku"])
    profile = properties_of(call).get("virtualMachineProfile") or {}
    reference = (profile.get("storageProfile") or {}).get("imageReference")
    current = scale_set.properties["virtualMachineProfile"]["storageProfile"]
    if reference and reference != current["imageReference"]:
        check_image(cloud, reference, str(scale_set.body["location"]), call.sub)
        current["imageReference"] = {k: v for k, v in reference.items() if k != "exactVersion"}
        scale_set.facts["model"] += 1
    scale_set.properties["provisioningState"] = "Updating"
    headers = _provision(cloud, call, scale_set)
    return Reply(body=deepcopy(scale_set.body), headers=headers)


def _get(cloud: "Cloud", call: Call) -> Reply:
    return Reply(body=scale_set_of(cloud, call).body)


def _list(cloud: "Cloud", call: Call) -> Reply:
    return page(cloud, call, list(cloud.store.of_type(SCALE_SET, scope_of(call))), body_of)


def _delete(cloud: "Cloud", call: Call) -> Reply:
    target = compute_id(call.sub, call.rg, "virtualMachineScaleSets", call.params["set"])
    scale_set = cloud.store.get(target)
    if scale_set is None:
        return Reply(HTTPStatus.NO_CONTENT)
    scale_set.properties["provisioningState"] = "Deleting"

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None:
            remove_all(cloud, members(cloud, scale_set))
            cloud.store.delete(target)
        return failure

    location = str(scale_set.body["location"])
    operation = cloud.operations.run(
        call, Family.COMPUTE, location, target, duration="scale_set_action", done=done
    )
    headers = cloud.operations.headers(call, operation, location=True, retry=RETRY_SECONDS)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


_WRITE, _DELETE = f"{SCALE_SET}/write", f"{SCALE_SET}/delete"
ROUTES = [
    Route("VirtualMachineScaleSets_CreateOrUpdate", "PUT", _ONE, _put, VERSIONS, _WRITE),
    Route(
        "VirtualMachineScaleSets_Update",
        "PATCH",
        _ONE,
        lambda cloud, call: _update(cloud, call, scale_set_of(cloud, call)),
        VERSIONS,
        _WRITE,
    ),
    Route("VirtualMachineScaleSets_Get", "GET", _ONE, _get, VERSIONS),
    Route("VirtualMachineScaleSets_List", "GET", _LIST, _list, VERSIONS),
    Route("VirtualMachineScaleSets_ListAll", "GET", _ALL, _list, VERSIONS),
    Route("VirtualMachineScaleSets_Delete", "DELETE", _ONE, _delete, VERSIONS, _DELETE),
]
