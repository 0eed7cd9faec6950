"""Which image a machine really gets: the rules for `latest`, exclusion and replication."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.gallery import GALLERY, IMAGE, VERSION
from localcloud.arm.gallery_sharing import COMMUNITY_KEY, SHARED_KEY, find_shared, version_path
from localcloud.arm.gallery_versions import region_entry, versions_under
from localcloud.arm.guests import Guest
from localcloud.arm.image_models import MANAGED_IMAGE, size_of
from localcloud.arm.marketplace import numeric
from localcloud.arm.marketplace import version_id as platform_id
from localcloud.arm.store import Json, Resource
from localcloud.arm.version_models import replicated_in

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


@dataclass(frozen=True)
class ResolvedImage:
    """The image reference as a machine shows it, and what its disk is made of."""

    reference: Json
    creation_data: Json
    guest: Guest
    size_gb: int
    specialized: bool = False


def resolve_image(
    cloud: "Cloud", reference: Json, location: str, subscription: str
) -> ResolvedImage:
    """The exact image for a reference; raises ArmError in Azure's words where there is none."""
    if reference.get("id"):
        return _image_by_id(cloud, reference, location)
    for key in (SHARED_KEY, COMMUNITY_KEY):
        if reference.get(key):
            return _shared_image(cloud, reference, key, location)
    if reference.get("publisher"):
        return _platform_image(cloud, reference, location, subscription)
    raise bad_request(
        "InvalidParameter",
        "Required parameter 'imageReference' is missing (null).",
        target="imageReference",
    )


def _platform_image(
    cloud: "Cloud", reference: Json, location: str, subscription: str
) -> ResolvedImage:
    names = [str(reference.get(key, "")) for key in ("publisher", "offer", "sku", "version")]
    plan = cloud.marketplace.find(*names[:3])
    if plan is None or (names[3] != "latest" and names[3] not in plan.versions):
        raise ArmError(
            HTTPStatus.NOT_FOUND,
            "PlatformImageNotFound",
            f"The platform image '{':'.join(names)}' is not available. Verify that all fields in "
            "the storage profile are correct. For more details about storage profile "
            "information, please refer to https://aka.ms/storageprofile",
            target="imageReference",
        )
    exact = plan.newest() if names[3] == "latest" else names[3]
    urn = f"{plan.publisher}:{plan.offer}:{plan.sku}:{exact}"
    return ResolvedImage(
        reference={**reference, "exactVersion": exact},
        creation_data={
            "createOption": "FromImage",
            "imageReference": {"id": platform_id(subscription, location, plan, exact)},
        },
        guest=Guest(os=plan.os, image=urn),
        size_gb=plan.size_gb,
    )


def _image_by_id(cloud: "Cloud", reference: Json, location: str) -> ResolvedImage:
    target = str(reference["id"])
    found = cloud.store.get(target)
    if found is None or found.type not in {IMAGE, VERSION, MANAGED_IMAGE}:
        raise _not_found(f"The resource '{target}' was not found.")
    if found.type == MANAGED_IMAGE:
        return _managed_image(found, reference)
    version = _version(cloud, found, location)
    named = {"id": version.id}
    return _of_version(
        cloud,
        version,
        {"id": target, "exactVersion": version.name},
        {"imageReference": named, "galleryImageReference": named},
    )


def _shared_image(cloud: "Cloud", reference: Json, key: str, location: str) -> ResolvedImage:
    path = str(reference[key])
    target = find_shared(cloud.store.of_type(GALLERY), path)
    found = cloud.store.get(target) if target else None
    if found is None:
        raise _not_found(f"The resource '{path}' was not found.")
    version = _version(cloud, found, location)
    exact = version_path(path, version.name)
    return _of_version(
        cloud,
        version,
        {"exactVersion": version.name, key: path},
        {"imageReference": {"id": exact}, "galleryImageReference": {key: exact}},
    )


def _version(cloud: "Cloud", found: Resource, location: str) -> Resource:
    if found.type == IMAGE:
        return _latest(cloud, found, location)
    return _replicated(cloud, found, location)


def _of_version(
    cloud: "Cloud", version: Resource, reference: Json, creation: Json
) -> ResolvedImage:
    image = cloud.store.get(version.id.rsplit("/versions/", 1)[0])
    guest: Guest = version.facts["guest"].copy()
    guest.image = version.id
    return ResolvedImage(
        reference=reference,
        creation_data={"createOption": "FromImage", **creation},
        guest=guest,
        size_gb=version.properties["storageProfile"]["osDiskImage"]["sizeInGB"],
        specialized=image is not None and image.properties["osState"] == "Specialized",
    )


def _managed_image(image: Resource, reference: Json) -> ResolvedImage:
    guest: Guest = image.facts["guest"].copy()
    guest.image = image.id
    state = image.properties["storageProfile"]["osDisk"]["osState"]
    return ResolvedImage(
        # Recorded: a managed image has no versions, so there is no exact one.
        reference={"id": str(reference["id"])},
        creation_data={"createOption": "FromImage", "imageReference": {"id": image.id}},
        guest=guest,
        size_gb=size_of(image),
        specialized=state == "Specialized",
    )


def _latest(cloud: "Cloud", image: Resource, location: str) -> Resource:
    included = [
        version
        for version in versions_under(cloud, image.id)
        if not version.properties["publishingProfile"]["excludeFromLatest"]
        and version.properties["provisioningState"] in {"Succeeded", "Updating"}
    ]
    if not included:
        raise _not_found(f'There is no latest image version exists for "{image.id}".')
    usable = [v for v in included if _usable(cloud, v, location)]
    if not usable:
        raise _not_available(image.id, location)
    return max(usable, key=lambda version: numeric(version.name))


def _usable(cloud: "Cloud", version: Resource, location: str) -> bool:
    entry = region_entry(version, location)
    return (
        entry is not None
        and not entry.get("excludeFromLatest", False)
        and replicated_in(cloud, version, location)
    )


def _replicated(cloud: "Cloud", version: Resource, location: str) -> Resource:
    if not replicated_in(cloud, version, location):
        raise _not_available(version.id, location)
    return version


def _not_available(image: str, location: str) -> ArmError:
    return _not_found(
        f"The gallery image {image} is not available in {location} region. Please contact image "
        "owner to replicate to this region, or change your requested region."
    )


def _not_found(message: str) -> ArmError:
    return ArmError(HTTPStatus.NOT_FOUND, "GalleryImageNotFound", message, target="imageReference")
