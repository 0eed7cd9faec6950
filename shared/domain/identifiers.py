"""Azure resource ids, regions and digests: one spelling for each thing."""

import base64
import hashlib
import re
from dataclasses import dataclass

_GALLERY_IMAGE = re.compile(
    r"^(?P<image>/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.compute"
    r"/galleries/[^/]+/images/[^/]+)(?:/versions/(?P<version>[^/]+))?$"
)
_RESOURCE = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)(?:/resourcegroups/(?P<group>[^/]+))?"
    r"/providers/(?P<namespace>[^/]+)/(?P<rest>.+)$"
)


def digest(*parts: str) -> str:
    """Return 26 lower-case base32 characters (130 bits of SHA-256) over *parts*.

    The parts are length-prefixed, so ("ab", "c") and ("a", "bc") differ.
    """
    text = "".join(f"{len(p)}:{p}" for p in parts)
    raw = hashlib.sha256(text.encode()).digest()
    return base64.b32encode(raw).decode().lower()[:26]


def normalise_id(resource_id: str) -> str:
    """Return *resource_id* in the one spelling we compare and key on: lower case, no last slash.

    Azure's resource providers do not agree on the case of ids.
    """
    return resource_id.strip().rstrip("/").lower()


def normalise_region(region: str) -> str:
    """Return the short name of a region: `East US 2` and `eastus2` are one place."""
    return region.replace(" ", "").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceId:
    """An ARM resource id taken apart; every part is lower case."""

    subscription_id: str
    resource_group: str
    type: str
    """For example `microsoft.compute/virtualmachines`."""
    names: tuple[str, ...]
    """The name of each level, the resource's own name last."""

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.names[-1]


def parse_resource_id(resource_id: str) -> ResourceId:
    """Take an ARM resource id apart, whatever its case.

    Raises ValueError when the text is not the id of a resource.
    """
    match = _RESOURCE.match(normalise_id(resource_id))
    segments = match["rest"].split("/") if match else []
    if not match or len(segments) % 2 or not all(segments):
        raise ValueError(f"{resource_id!r} is not the id of an Azure resource")
    return ResourceId(
        subscription_id=match["subscription"],
        resource_group=match["group"] or "",
        type="/".join([match["namespace"], *segments[::2]]),
        names=tuple(segments[1::2]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryImage:
    """A gallery image definition, with a version where one is named."""

    image_id: str
    """Normalised id of the image definition, without `/versions/…`."""
    version: str | None = None


def parse_gallery_image(resource_id: str) -> GalleryImage | None:
    """Read the id of a gallery image definition or version; None when it is neither."""
    match = _GALLERY_IMAGE.match(normalise_id(resource_id))
    if not match:
        return None
    return GalleryImage(image_id=match["image"], version=match["version"])


def vm_key(resource_id: str) -> str:
    """Return the register's key of a VM or scale-set instance: `<subscription>.<digest of id>`.

    ARM ids hold characters that Table Storage refuses in keys; the subscription in front keeps
    the machines of one subscription together.

    Raises ValueError when *resource_id* is not the id of a resource.
    """
    parsed = parse_resource_id(resource_id)
    return f"{parsed.subscription_id}.{digest(normalise_id(resource_id))}"
