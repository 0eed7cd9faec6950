"""Request bodies that the tests of the simulator share.

They are plain JSON, which the SDKs take but do not declare: hence `Any`.
"""

from typing import Any

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/builder"
GALLERY = f"{GROUP}/providers/Microsoft.Compute/galleries/g"
IMAGE = f"{GALLERY}/images/i"
UBUNTU = {
    "publisher": "Canonical",
    "offer": "0001-com-ubuntu-server-jammy",
    "sku": "22_04-lts-gen2",
    "version": "latest",
}
NEWEST_UBUNTU = "22.04.202411080"
TATTOO = [
    "cat > /tmp/tattoo.json <<'EOF'",
    '{"build": "b-1"}',
    "EOF",
    "sudo install -D -m 0644 /tmp/tattoo.json /etc/assay/tattoo.json",
]


def a_gallery(**sharing: Any) -> Any:
    """A gallery, shared as `sharing` says."""
    body: dict[str, Any] = {"location": "westeurope"}
    if sharing:
        body["properties"] = {"sharingProfile": sharing}
    return body


def tags(**values: str) -> Any:
    """A change of nothing but tags."""
    return {"tags": values}


def definition(
    *, location: str = "westeurope", os: str = "Linux", state: str = "Generalized"
) -> Any:
    """A gallery image definition."""
    return {
        "location": location,
        "properties": {
            "osType": os,
            "osState": state,
            "hyperVGeneration": "V2",
            "identifier": {"publisher": "assay", "offer": "o", "sku": os},
        },
    }


def template(
    gallery_image: str = f"{IMAGE}/versions/1.0.0",
    *,
    source: dict[str, Any] | None = None,
    customize: list[dict[str, Any]] | None = None,
    validators: bool = False,
    exclude: bool = True,
    regions: tuple[str, ...] = ("westeurope",),
    **properties: Any,
) -> Any:
    """An image template that builds Ubuntu, tattoos it and distributes one version."""
    check = {"type": "Shell", "name": "smoke", "inline": ["true"]}
    if validators:
        properties["validate"] = {"inVMValidations": [check]}
    return {
        "location": "westeurope",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
        "tags": {"made-by": "test"},
        "properties": {
            "source": source or {"type": "PlatformImage", **UBUNTU},
            "customize": customize or [{"type": "Shell", "name": "tattoo", "inline": TATTOO}],
            "distribute": [
                {
                    "type": "SharedImage",
                    "runOutputName": "out",
                    "galleryImageId": gallery_image,
                    "excludeFromLatest": exclude,
                    "artifactTags": {"assay": "yes"},
                    "targetRegions": [{"name": name} for name in regions],
                }
            ],
            **properties,
        },
    }


def version(*regions: str, exclude: bool = False, source: str = "", **profile: Any) -> Any:
    """A gallery image version, made directly."""
    return {
        "location": "westeurope",
        "properties": {
            "publishingProfile": {
                "targetRegions": [{"name": name} for name in regions or ("westeurope",)],
                "excludeFromLatest": exclude,
                **profile,
            },
            "storageProfile": {
                "source": {"id": source or f"{GROUP}/providers/Microsoft.Compute/images/managed"}
            },
        },
    }


def version_update(*regions: str, exclude: bool = False) -> Any:
    """A change of a gallery image version, with everything its specification asks for."""
    return {
        "properties": {
            "publishingProfile": {
                "targetRegions": [{"name": name} for name in regions or ("westeurope",)],
                "excludeFromLatest": exclude,
            },
            "storageProfile": {},
        }
    }


def machine(image: str | dict[str, Any] = IMAGE, *, location: str = "westeurope") -> Any:
    """A virtual machine that makes its own network interface."""
    return {
        "location": location,
        "tags": {"team": "a"},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v3"},
            "storageProfile": {
                "imageReference": {"id": image} if isinstance(image, str) else image,
                "osDisk": {"createOption": "FromImage", "deleteOption": "Delete"},
            },
            "osProfile": {
                "computerName": "vm",
                "adminUsername": "someone",
                "adminPassword": "not-to-be-shown",
            },
            "networkProfile": {
                "networkApiVersion": "2022-11-01",
                "networkInterfaceConfigurations": [
                    {"name": "nic", "properties": {"primary": True, "ipConfigurations": []}}
                ],
            },
        },
    }


def without_profile(body: Any) -> Any:
    """A machine whose system is set up already: it takes no OS profile."""
    del body["properties"]["osProfile"]
    return body


def attached(disk_id: str, *, os: str = "Linux") -> Any:
    """A machine that boots a disk which is there already."""
    body = without_profile(machine())
    body["properties"]["storageProfile"] = {
        "osDisk": {"osType": os, "createOption": "Attach", "managedDisk": {"id": disk_id}}
    }
    return body


def swapped(disk_id: str) -> Any:
    """A change of the OS disk of a machine that was made from an image."""
    disk = {
        "createOption": "FromImage",
        "managedDisk": {"id": disk_id},
        "name": disk_id.rsplit("/", 1)[-1],
    }
    return {"properties": {"storageProfile": {"osDisk": disk}}}


def volume(option: str = "Empty", *, size: int | None = None, **creation: Any) -> Any:
    """A disk or a snapshot."""
    properties: dict[str, Any] = {"creationData": {"createOption": option, **creation}}
    if size is not None:
        properties["diskSizeGB"] = size
    return {"location": "westeurope", "tags": {"team": "a"}, "properties": properties}


def copy_of(source_id: str) -> Any:
    """A disk or a snapshot that is a copy of another."""
    return volume("Copy", sourceResourceId=source_id)


def instances(*numbers: str) -> Any:
    """Some instances of a scale set; `*` means all."""
    return {"instanceIds": list(numbers)}


def captured(machine_id: str) -> Any:
    """A managed image of a machine."""
    return {"location": "westeurope", "properties": {"sourceVirtualMachine": {"id": machine_id}}}


def image_of_disk(*, state: str = "Generalized", **source: Any) -> Any:
    """A managed image of a disk, a snapshot or a blob."""
    disk = {"osType": "Linux", "osState": state, **source}
    return {"location": "westeurope", "properties": {"storageProfile": {"osDisk": disk}}}


def scale_set(
    image: str | dict[str, Any] = IMAGE, *, capacity: int = 2, mode: str = "Uniform"
) -> Any:
    """A scale set."""
    return {
        "location": "westeurope",
        "tags": {"team": "b"},
        "sku": {"name": "Standard_D2s_v3", "capacity": capacity},
        "properties": {
            "orchestrationMode": mode,
            "upgradePolicy": {"mode": "Manual"},
            "virtualMachineProfile": {
                "storageProfile": {
                    "imageReference": {"id": image} if isinstance(image, str) else image
                },
                "osProfile": {"computerNamePrefix": "set", "adminUsername": "someone"},
                "networkProfile": {
                    "networkInterfaceConfigurations": [
                        {
                            "name": "nic",
                            "properties": {
                                "primary": True,
                                "ipConfigurations": [{"name": "ip", "properties": {}}],
                            },
                        }
                    ]
                },
            },
        },
    }


def run_command(script: str, **properties: Any) -> Any:
    """A managed run command."""
    return {"location": "westeurope", "properties": {"source": {"script": script}, **properties}}
