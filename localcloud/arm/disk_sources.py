"""What a disk or snapshot is made of: `creationData` as asked for, and what comes out of it."""

import re
from copy import deepcopy
from typing import TYPE_CHECKING

from localcloud.arm.disk_models import Content
from localcloud.arm.errors import ArmError, bad_request, resource_not_found
from localcloud.arm.guests import Guest
from localcloud.arm.ids import group_of, last_segment
from localcloud.arm.image_resolution import ResolvedImage, resolve_image
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_IMPORTED_GB = 30  # the size of a blob is not known here
_PLATFORM = re.compile(
    r".*/publishers/(?P<publisher>[^/]+)/artifacttypes/vmimage/offers/(?P<offer>[^/]+)"
    r"/skus/(?P<sku>[^/]+)/versions/(?P<version>[^/]+)",
    re.IGNORECASE,
)


def content_of(cloud: "Cloud", asked: Json, location: str, subscription: str) -> Content:
    """What a new disk holds; raises ArmError where its source is missing or of an unknown kind."""
    creation = asked.get("creationData")
    if not isinstance(creation, dict) or "createOption" not in creation:
        raise _missing("creationData.createOption")
    match creation["createOption"]:
        case "Empty":
            return _of_asked(asked, {"createOption": "Empty"})
        case "Import":
            if not creation.get("sourceUri"):
                raise _missing("creationData.sourceUri")
            return _of_asked(asked, deepcopy(creation))
        case "FromImage":
            return _of_image(cloud, asked, location, subscription)
        case "Copy":
            return _of_copy(cloud, asked)
    raise bad_request(
        "InvalidParameter",
        f"The createOption '{creation['createOption']}' is not simulated.",
        target="creationData.createOption",
    )


def _missing(parameter: str) -> ArmError:
    return bad_request(
        "InvalidParameter",
        f"Required parameter '{parameter}' is missing (null).",
        target=parameter,
    )


def _of_asked(asked: Json, creation: Json) -> Content:
    if creation["createOption"] == "Empty" and "diskSizeGB" not in asked:
        raise _missing("diskSizeGB")
    system = asked.get("osType")
    return Content(
        creation_data=creation,
        size_gb=int(asked.get("diskSizeGB") or _IMPORTED_GB),
        guest=Guest(os=system) if system else None,
        generation=str(asked.get("hyperVGeneration", "V1")),
    )


def _of_image(cloud: "Cloud", asked: Json, location: str, subscription: str) -> Content:
    creation = asked["creationData"]
    reference = creation.get("galleryImageReference") or creation.get("imageReference") or {}
    image = _resolved(cloud, reference, location, subscription)
    return Content(
        creation_data=image.creation_data,
        size_gb=int(asked.get("diskSizeGB") or image.size_gb),
        guest=image.guest,
        generation=str(asked.get("hyperVGeneration", "V2")),
    )


def _resolved(cloud: "Cloud", reference: Json, location: str, subscription: str) -> ResolvedImage:
    platform = _PLATFORM.fullmatch(str(reference.get("id", "")))
    wanted = platform.groupdict() if platform else reference
    return resolve_image(cloud, wanted, location, subscription)


def _of_copy(cloud: "Cloud", asked: Json) -> Content:
    """A copy names its source and nothing else: where that came from is the source's to tell."""
    creation = asked["creationData"]
    source_id = str(creation.get("sourceResourceId") or "")
    if not source_id:
        raise _missing("creationData.sourceResourceId")
    source = source_volume(cloud, source_id)
    guest = source.facts.get("guest")
    return Content(
        creation_data={
            "createOption": "Copy",
            "sourceResourceId": source_id,
            "sourceUniqueId": source.properties["uniqueId"],
        },
        size_gb=int(asked.get("diskSizeGB") or source.properties["diskSizeGB"]),
        guest=guest.copy() if guest is not None else None,
        generation=str(source.properties.get("hyperVGeneration", "V2")),
    )


def source_volume(cloud: "Cloud", source_id: str) -> Resource:
    """The disk or snapshot with this id; raises ArmError (404) where there is none."""
    found = cloud.store.get(source_id)
    if found is None or "diskSizeGB" not in found.properties:
        kind = "snapshots" if "/snapshots/" in source_id.lower() else "disks"
        raise resource_not_found(
            f"Microsoft.Compute/{kind}", last_segment(source_id), group_of(source_id)
        )
    return found
