"""Machines and scale sets as Azure Resource Manager writes them, read into facts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.identifiers import normalise_id, normalise_region
from shared.domain.lineage import boot_of, from_reference
from shared.domain.vm_record import ImageKind, Machine, VmFacts, kind_of_image

type Json = Mapping[str, Any]

_GALLERIES = (ImageKind.GALLERY, ImageKind.SHARED_GALLERY, ImageKind.COMMUNITY_GALLERY)


def machine_facts(machine: Json, *, inherited: Mapping[str, str]) -> VmFacts:
    """Read a VM or an instance; its image is what its reference says, whether exact or not.

    *inherited* are the tags it has from its scale set.
    """
    properties = _object(machine, "properties")
    disk = _os_disk(properties)
    reference = reference_of(machine)
    image = from_reference(reference)
    return VmFacts(
        resource_id=normalise_id(machine["id"]),
        name=str(machine.get("name") or ""),
        region=normalise_region(machine["location"]),
        image=image,
        tags={**inherited, **tags_of(machine)},
        scale_set_id=scale_set_id_of(machine),
        created_at=moment_or_none(properties.get("timeCreated")),
        os=str(disk.get("osType") or "").lower(),
        machine=_machine_of(machine),
        boot=boot_of(reference, str(_object(disk, "managedDisk").get("id") or "")),
        specialised=kind_of_image(image.image_id) in _GALLERIES and "osProfile" not in properties,
    )


def model_facts(scale_set: Json) -> VmFacts:
    """Read the model of a scale set: the image is the wish, without a version for the latest."""
    properties = _object(scale_set, "properties")
    profile = _object(properties, "virtualMachineProfile")
    reference = _object(profile, "storageProfile").get("imageReference")
    return VmFacts(
        resource_id=normalise_id(scale_set["id"]),
        name=str(scale_set.get("name") or ""),
        region=normalise_region(scale_set["location"]),
        image=from_reference(reference),
        tags=tags_of(scale_set),
        created_at=moment_or_none(properties.get("timeCreated")),
        os=str(_os_disk(profile).get("osType") or "").lower(),
        machine=Machine.SCALE_SET,
        boot=boot_of(reference, ""),
        capacity=int(_object(scale_set, "sku").get("capacity") or 0),
    )


def reference_of(machine: Json) -> Json | None:
    """Return the `imageReference` of a machine; None where it has none."""
    reference = _object(_object(machine, "properties"), "storageProfile").get("imageReference")
    return reference if isinstance(reference, Mapping) else None


def tags_of(resource: Json) -> dict[str, str]:
    """Return the tags of a resource, their names in lower case."""
    return {str(name).lower(): str(value) for name, value in (resource.get("tags") or {}).items()}


def scale_set_id_of(machine: Json) -> str:
    """Return the normalised id of the scale set, which a Uniform instance carries in its own id."""
    membership = _object(_object(machine, "properties"), "virtualMachineScaleSet")
    if membership.get("id"):
        return normalise_id(membership["id"])
    own, is_instance, _ = normalise_id(machine["id"]).partition("/virtualmachines/")
    return own if is_instance and "/virtualmachinescalesets/" in own else ""


def moment_or_none(text: Any) -> datetime | None:
    """Read a time of Azure's; None where it says none."""
    return datetime.fromisoformat(text) if text else None


def _machine_of(machine: Json) -> Machine:
    if "/virtualmachinescalesets/" in normalise_id(machine["id"]):
        return Machine.UNIFORM
    return Machine.FLEXIBLE if scale_set_id_of(machine) else Machine.VM


def _os_disk(owner: Json) -> Json:
    return _object(_object(owner, "storageProfile"), "osDisk")


def _object(owner: Json, name: str) -> Json:
    value = owner.get(name)
    return value if isinstance(value, Mapping) else {}
