"""What an image template says of itself, and how its creation ends."""

import hashlib
from copy import deepcopy
from typing import TYPE_CHECKING

from localcloud.arm.gallery import IMAGE, VERSION
from localcloud.arm.ids import Guids, group_of, last_segment, subscription_of
from localcloud.arm.operations import OperationError
from localcloud.arm.regions import require_region
from localcloud.arm.requests import properties_of, tags_of
from localcloud.arm.routing import Call
from localcloud.arm.store import Json, Resource
from localcloud.arm.template_fields import validation_failed
from localcloud.arm.version_models import replicated_in

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

TEMPLATE = "Microsoft.VirtualMachineImages/imageTemplates"
# Azure docs, "buildTimeoutInMinutes": 0 means 240; 1 to 5 fail with a token error.
_SHORTEST_BUILD, _LONGEST_BUILD = 6, 960
_REQUIRED = {
    "PlatformImage": ("publisher", "offer", "sku", "version"),
    "SharedImageVersion": ("imageVersionId",),
    "ManagedImage": ("imageId",),
    "SharedImage": ("galleryImageId",),
    "VHD": (),
}


def new_body(call: Call, target: str, location: str) -> Json:
    """The template as it is answered right after its PUT; raises ArmError for bad fields."""
    asked = properties_of(call)
    _check_values(asked, call.body.get("identity"))
    properties: Json = {
        "source": _source(asked["source"]),
        **_customize(asked),
        **{key: asked[key] for key in ("optimize", "validate") if key in asked},
        "distribute": distributors(asked["distribute"]),
        **{key: asked[key] for key in ("errorHandling", "managedResourceTags") if key in asked},
        "provisioningState": "Creating",
        "buildTimeoutInMinutes": asked.get("buildTimeoutInMinutes") or 0,
        "vmProfile": vm_profile(asked.get("vmProfile") or {}),
        "stagingResourceGroup": asked.get("stagingResourceGroup") or "",
        "exactStagingResourceGroup": "",
    }
    return {
        "properties": properties,
        "identity": identities(call.body["identity"], filled=False, guids=None),
        "tags": tags_of(call),
        "location": location,
        "id": target,
        "name": last_segment(target),
        "type": TEMPLATE,
    }


def _check_values(asked: Json, identity: Json | None) -> None:
    for key in ("source", "distribute"):
        if not asked.get(key):
            raise validation_failed(f"'properties.{key}' is required.")
    for where in (asked["source"], *asked["distribute"]):
        missing = [key for key in _REQUIRED[where["type"]] if not where.get(key)]
        if missing:
            raise validation_failed(f"'{missing[0]}' is required for {where['type']}.")
    users = (identity or {}).get("userAssignedIdentities") or {}
    if (identity or {}).get("type") != "UserAssigned" or len(users) != 1:
        raise validation_failed("exactly one user assigned identity is required.")
    minutes = asked.get("buildTimeoutInMinutes") or 0
    if minutes and not _SHORTEST_BUILD <= minutes <= _LONGEST_BUILD:
        raise validation_failed("'buildTimeoutInMinutes' must be 0 or from 6 to 960.")
    names = [d.get("runOutputName") for d in asked["distribute"]]
    if not all(names) or len(set(names)) != len(names):
        raise validation_failed("'runOutputName' is required, and must be unique.")
    _refuse_unsimulated(asked)


def _refuse_unsimulated(asked: Json) -> None:
    if (asked.get("autoRun") or {}).get("state") == "Enabled":
        raise validation_failed("autoRun is not simulated.")
    if (asked.get("validate") or {}).get("sourceValidationOnly"):
        raise validation_failed("validate.sourceValidationOnly is not simulated.")
    if asked["source"]["type"] == "ManagedImage":
        raise validation_failed("a ManagedImage source is not simulated.")


def _source(asked: Json) -> Json:
    # Recorded: until creation ends, the exact version is whatever was asked for.
    exact = asked.get("version") or asked.get("imageVersionId")
    return {**asked, "exactVersion": exact}


def _customize(asked: Json) -> Json:
    if not asked.get("customize"):
        return {}
    # Recorded: an empty checksum is dropped, to be filled in when creation ends.
    steps = [
        {key: value for key, value in step.items() if (key, value) != ("sha256Checksum", "")}
        for step in asked["customize"]
    ]
    for step in steps:
        if step["type"] == "WindowsRestart":
            step.setdefault("restartCommand", "")
    return {"customize": steps}


def distributors(asked: list[Json]) -> list[Json]:
    """The distribution targets with Image Builder's defaults."""
    return [_distributor(each) for each in asked]


def _distributor(asked: Json) -> Json:
    answer: Json = {"artifactTags": {}, **deepcopy(asked)}
    if asked["type"] == "SharedImage":
        answer["excludeFromLatest"] = bool(asked.get("excludeFromLatest", False))
        # Recorded: answered as null, even where a scheme was given.
        answer["versioning"] = None
        for region in answer.get("targetRegions") or []:
            require_region(region.get("name"))
            region.setdefault("replicaCount", 1)
            region.setdefault("storageAccountType", "Standard_LRS")
    return answer


def vm_profile(asked: Json) -> Json:
    """The build VM's profile with Image Builder's defaults."""
    return {"vmSize": "", "osDiskSizeGB": 0, **asked}


def identities(asked: Json, *, filled: bool, guids: Guids | None) -> Json:
    """The identity block; `filled` with the ids Azure looks up."""
    users = asked.get("userAssignedIdentities") or {}
    if not users:
        return {"type": asked.get("type", "None")}
    values = {
        key: {"principalId": guids.next(), "clientId": guids.next()} if filled and guids else {}
        for key in users
    }
    return {"type": asked["type"], "userAssignedIdentities": values}


def end_creation(
    cloud: "Cloud", template: Resource, failure: OperationError | None
) -> OperationError | None:
    """Resolve the source and end the creation: Succeeded, or Failed with a provisioningError."""
    properties = template.properties
    group = f"IT_{group_of(template.id)[:17]}_{cloud.guids.next()}"
    properties["exactStagingResourceGroup"] = (
        properties["stagingResourceGroup"]
        or f"/subscriptions/{subscription_of(template.id)}/resourceGroups/{group}"
    )
    template.body["identity"] = identities(
        template.body["identity"], filled=True, guids=cloud.guids
    )
    problem = ("Other", failure.message) if failure else _resolve(cloud, template)
    if problem is None:
        for step in properties.get("customize", []):
            if "scriptUri" in step or "sourceUri" in step:
                uri = str(step.get("scriptUri") or step.get("sourceUri"))
                step.setdefault("sha256Checksum", hashlib.sha256(uri.encode()).hexdigest())
        properties["provisioningState"] = "Succeeded"
        return None
    code, message = problem
    properties["provisioningState"] = "Failed"
    properties["provisioningError"] = {"provisioningErrorCode": code, "message": message}
    return failure or OperationError("ValidationFailed", message)


def _resolve(cloud: "Cloud", template: Resource) -> tuple[str, str] | None:
    source = template.properties["source"]
    problem = (
        _resolve_platform(cloud, source)
        if source["type"] == "PlatformImage"
        else _resolve_version(cloud, source, str(template.body["location"]))
    )
    return problem or _check_targets(cloud, template)


def _resolve_platform(cloud: "Cloud", source: Json) -> tuple[str, str] | None:
    plan = cloud.marketplace.find(source["publisher"], source["offer"], source["sku"])
    wanted = source["version"]
    if plan is None or (wanted != "latest" and wanted not in plan.versions):
        urn = ":".join(str(source[k]) for k in ("publisher", "offer", "sku", "version"))
        return "BadPIRSource", f"The platform image '{urn}' was not found."
    source["exactVersion"] = plan.newest() if wanted == "latest" else wanted
    return None


def _resolve_version(cloud: "Cloud", source: Json, location: str) -> tuple[str, str] | None:
    wanted = str(source["imageVersionId"])
    version = cloud.store.get(wanted)
    if version is None or version.type != VERSION:
        return "BadSharedImageVersionSource", f"The image version '{wanted}' was not found."
    if not replicated_in(cloud, version, location):
        return (
            "BadSharedImageVersionSource",
            f"The image version '{wanted}' is not replicated to '{location}'.",
        )
    source["exactVersion"] = version.id
    return None


def _check_targets(cloud: "Cloud", template: Resource) -> tuple[str, str] | None:
    for target in template.properties["distribute"]:
        if target["type"] != "SharedImage":
            continue
        image = str(target["galleryImageId"]).split("/versions/", 1)[0]
        found = cloud.store.get(image)
        if found is None or found.type != IMAGE:
            return "BadSharedImageDistribute", f"The gallery image '{image}' was not found."
    return None
