"""Which fields an image template may have: Image Builder refuses those it does not know."""

from collections.abc import Mapping
from typing import Any

from localcloud.arm.errors import ArmError, bad_request

# Azure docs: "Create an Azure Image Builder Bicep file or ARM JSON template" and the
# api-version 2025-10-01 of Microsoft.VirtualMachineImages. A nested mapping is an object;
# "type" picks among variants; None takes any value.
type Fields = Mapping[str, Any]

_SCRIPT: Fields = dict.fromkeys(("type", "name", "scriptUri", "sha256Checksum", "inline"))
_POWERSHELL: Fields = {
    **_SCRIPT,
    **dict.fromkeys(("runElevated", "runAsSystem", "validExitCodes")),
}
_FILE: Fields = dict.fromkeys(("type", "name", "sourceUri", "sha256Checksum", "destination"))
_VALIDATORS: Fields = {"Shell": _SCRIPT, "PowerShell": _POWERSHELL, "File": _FILE}
_CUSTOMIZERS: Fields = {
    **_VALIDATORS,
    "WindowsRestart": dict.fromkeys(
        ("type", "name", "restartCommand", "restartCheckCommand", "restartTimeout")
    ),
    "WindowsUpdate": dict.fromkeys(("type", "name", "searchCriteria", "filters", "updateLimit")),
}
_SOURCES: Fields = {
    "PlatformImage": {
        **dict.fromkeys(("type", "publisher", "offer", "sku", "version", "exactVersion")),
        "planInfo": dict.fromkeys(("planName", "planProduct", "planPublisher")),
    },
    "ManagedImage": dict.fromkeys(("type", "imageId")),
    "SharedImageVersion": dict.fromkeys(("type", "imageVersionId", "exactVersion")),
}
_OUTPUT: Fields = dict.fromkeys(("type", "runOutputName", "artifactTags"))
_DISTRIBUTORS: Fields = {
    "SharedImage": {
        **_OUTPUT,
        **dict.fromkeys(
            ("galleryImageId", "replicationRegions", "excludeFromLatest", "storageAccountType")
        ),
        "replicationMode": None,
        "targetRegions": [dict.fromkeys(("name", "replicaCount", "storageAccountType"))],
        "versioning": dict.fromkeys(("scheme", "major")),
    },
    "ManagedImage": {**_OUTPUT, **dict.fromkeys(("imageId", "location"))},
    "VHD": {**_OUTPUT, "uri": None},
}
_PROPERTIES: Fields = {
    "source": ("source", _SOURCES),
    "customize": [("customizer", _CUSTOMIZERS)],
    "distribute": [("distributor", _DISTRIBUTORS)],
    "validate": {
        **dict.fromkeys(("continueDistributeOnFailure", "sourceValidationOnly")),
        "inVMValidations": [("validator", _VALIDATORS)],
    },
    "optimize": {
        "vmBoot": {"state": None},
        "workload": dict.fromkeys(("state", "scriptUri", "sha256Checksum")),
    },
    "errorHandling": dict.fromkeys(("onCustomizerError", "onValidationError")),
    "vmProfile": {
        **dict.fromkeys(("vmSize", "osDiskSizeGB", "userAssignedIdentities")),
        "vnetConfig": dict.fromkeys(("subnetId", "containerInstanceSubnetId", "proxyVmSize")),
    },
    "autoRun": {"state": None},
    "additionalDataDisks": [{"sizeGB": None}],
    **dict.fromkeys(
        (
            "buildTimeoutInMinutes",
            "stagingResourceGroup",
            "managedResourceTags",
            # Read-only fields may be sent back; they are not taken.
            "provisioningState",
            "provisioningError",
            "lastRunStatus",
            "exactStagingResourceGroup",
        )
    ),
}
_TEMPLATE: Fields = {
    **dict.fromkeys(("id", "name", "type", "systemData", "location", "tags")),
    "identity": dict.fromkeys(("type", "userAssignedIdentities", "principalId", "tenantId")),
    "properties": _PROPERTIES,
}
_PATCH: Fields = {
    "tags": None,
    "identity": _TEMPLATE["identity"],
    "properties": {key: _PROPERTIES[key] for key in ("distribute", "vmProfile")},
}


def check_template(body: Mapping[str, Any]) -> None:
    """Raise ArmError (400) for a field a template does not have."""
    _check(body, _TEMPLATE, "")


def check_patch(body: Mapping[str, Any]) -> None:
    """Raise ArmError (400) for a field that cannot be changed."""
    _check(body, _PATCH, "")


def validation_failed(message: str) -> ArmError:
    """The 400 of Image Builder's own checks."""
    return bad_request("ValidationFailed", f"Validation failed: {message}")


def _check(value: Any, fields: Any, where: str) -> None:
    if fields is None or value is None:
        return
    if isinstance(fields, list):
        for item in _listed(value, where):
            _check(item, fields[0], where)
        return
    if not isinstance(value, Mapping):
        raise validation_failed(f"'{where}' is not an object.")
    if isinstance(fields, tuple):
        word, variants = fields
        if value.get("type") not in variants:
            raise validation_failed(f"'{value.get('type')}' is not a type of {word}.")
        fields = variants[value["type"]]
    for key, inner in value.items():
        if key not in fields:
            raise validation_failed(f"unknown field \"{key}\" in '{where or 'imageTemplate'}'.")
        _check(inner, fields[key], key)


def _listed(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise validation_failed(f"'{where}' is not a list.")
    return value
