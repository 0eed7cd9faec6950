"""Galleries seen by others: direct sharing by unique name, community sharing by public name."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

SHARED_KEY, COMMUNITY_KEY = "sharedGalleryImageId", "communityGalleryImageId"
_PATH = re.compile(
    r"/(?P<kind>Shared|Community)Galleries/(?P<name>[^/]+)/Images/(?P<image>[^/]+)"
    r"(?:/Versions/(?P<version>[^/]+))?",
    re.IGNORECASE,
)
_LATEST = "latest"


def sharing_profile(cloud: "Cloud", asked: Json, current: Json) -> Json:
    """The sharing profile as Azure answers it: a community gallery gets its public name.

    A public name is the prefix asked for and a guid, and stays while the prefix does.
    """
    info = asked.get("communityGalleryInfo")
    if asked.get("permissions") != "Community" or not isinstance(info, dict):
        return asked
    prefix = str(info.get("publicNamePrefix", ""))
    known = current.get("communityGalleryInfo") or {}
    names = known.get("publicNames") if known.get("publicNamePrefix") == prefix else None
    public = names or [f"{prefix}-{cloud.guids.next()}"]
    shown = {**info, "communityGalleryEnabled": True, "publicNames": public}
    return {**asked, "communityGalleryInfo": shown}


def find_shared(galleries: Iterable[Resource], path: str) -> str | None:
    """The id of the image definition or version that a shared or public path means, or None.

    None, too, for a gallery that is not shared in that way. `latest` as a version means the
    definition.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    shared = found["kind"].lower() == "shared"
    for gallery in galleries:
        names = _unique_names(gallery) if shared else _public_names(gallery)
        if found["name"].lower() in {name.lower() for name in names}:
            image = f"{gallery.id}/images/{found['image']}"
            version = found["version"] or _LATEST
            return image if version.lower() == _LATEST else f"{image}/versions/{version}"
    return None


def version_path(path: str, version: str) -> str:
    """The path of one version, for a path that may name its definition only."""
    return f"{re.split('/Versions/', path, flags=re.IGNORECASE)[0]}/Versions/{version}"


def _profile(gallery: Resource) -> Json:
    return gallery.properties.get("sharingProfile") or {}


def _unique_names(gallery: Resource) -> list[str]:
    if _profile(gallery).get("permissions") != "Groups":
        return []
    return [str(gallery.properties["identifier"]["uniqueName"])]


def _public_names(gallery: Resource) -> list[str]:
    info = _profile(gallery).get("communityGalleryInfo") or {}
    return [str(name) for name in info.get("publicNames") or []]
