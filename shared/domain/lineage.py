"""Which image a VM runs, out of what Azure says of the VM, of its OS disk and of its origins.

The order in which the facts count:

1. the VM's `imageReference`: a gallery image or Marketplace image with its exact version, or a
   managed image
2. the same for images of shared and community galleries
3. the OS disk's `creationData`, when the VM does not say or does not say exactly
4. where that disk is a copy, the `creationData` of what it was copied from, and so on

Inputs are resources as Azure Resource Manager writes them in JSON, `None` where there is none.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.identifiers import normalise_id, parse_gallery_image
from shared.domain.vm_record import Boot, Image, LineageSource

type Json = Mapping[str, Any]

MAX_COPIES = 5
"""How many copies of copies are followed before the lineage counts as lost."""

_CLOCKS = timedelta(seconds=1)
"""How much two services of Azure may differ about when one machine was made."""

_COPIES = frozenset({"copy", "copystart"})
_COPYABLE = re.compile(
    r"^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.compute"
    r"/(disks|snapshots)/[^/]+$"
)
_MARKETPLACE = re.compile(
    r"^/subscriptions/[^/]+/providers/microsoft\.compute/locations/[^/]+"
    r"/publishers/(?P<publisher>[^/]+)/artifacttypes/vmimage/offers/(?P<offer>[^/]+)"
    r"/skus/(?P<sku>[^/]+)/versions/(?P<version>[^/]+)$"
)
_SHARED = re.compile(
    r"^(?P<image>/(sharedgalleries|communitygalleries)/[^/]+/images/[^/]+)"
    r"(?:/versions/(?P<version>[^/]+))?$"
)
_OWN = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)/resourcegroups/[^/]+/providers/microsoft\.compute"
    r"/galleries/(?P<gallery>[^/]+)/images/(?P<image>[^/]+)$"
)


def resolve(reference: Json | None, origins: Sequence[Json] = ()) -> Image:
    """Return the image of a VM with the image *reference*, or a blank one when lineage is lost.

    *origins* are the OS disk and what it was copied from, nearest first; leave them out when
    `is_exact` says that the reference suffices. Where VM and disk name different images the disk
    is believed, for that is what the VM boots, and the image is marked as a mismatch.
    """
    said = from_reference(reference)
    found = _from_origins(origins)
    if not found.image_id:
        return said
    if not said.image_id:
        return found
    if said.image_id != found.image_id or (
        said.version and found.version and said.version != found.version
    ):
        return replace(found, mismatch=True)
    return said if said.version else found


def from_reference(reference: Json | None) -> Image:
    """Return what an `imageReference` says; its version is empty while it is still `latest`."""
    if not reference:
        return Image()
    if reference.get("publisher"):
        parts = (reference["publisher"], reference.get("offer"), reference.get("sku"))
        image = Image(
            image_id=":".join(str(p) for p in parts).lower(),
            version=str(reference.get("version") or ""),
            source=LineageSource.IMAGE_REFERENCE,
        )
    else:
        image = _from_ids(reference)
    exact = _exact(str(reference.get("exactVersion") or "")) or _exact(image.version)
    return replace(image, version=exact)


def is_exact(image: Image) -> bool:
    """Tell whether *image* leaves nothing to ask the disk; a managed image has no versions."""
    return bool(image.version) or _is_managed(image.image_id)


def boot_of(reference: Json | None, os_disk_id: str) -> Boot:
    """Return what a VM with the image *reference* boots from the OS disk *os_disk_id*."""
    said = from_reference(reference)
    text = f"{said.image_id}@{said.version}" if said.image_id else ""
    return Boot(reference=text, os_disk_id=normalise_id(os_disk_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a VM was last seen to boot, and the image that turned out to be."""

    boot: Boot
    image: Image
    created_at: datetime | None = None

    def unless_made_again(self, created_at: datetime | None) -> "Known | None":
        """Return it, but not where the machine was deleted and another made under its id."""
        return None if is_made_again(self.created_at, created_at) else self

    def still(self, boot: Boot) -> Image | None:
        """Return the image where the VM boots the same as then; None where it must be found."""
        same = self.boot == boot and boot != Boot()
        return self.image if same and self.image.image_id else None

    def swapped(self, boot: Boot) -> bool:
        """Tell whether the OS disk was swapped behind a reference that stayed the same."""
        before, now = self.boot, boot
        return (
            before.reference == now.reference
            and bool(before.os_disk_id)
            and before.os_disk_id != now.os_disk_id
        )


def is_made_again(before: datetime | None, now: datetime | None) -> bool:
    """Tell whether a machine made *now* is another one than that made *before* under the same id.

    Where either is not known, it is the same.
    """
    return before is not None and now is not None and now - before > _CLOCKS


def copied_from(resource: Json) -> str:
    """Return the normalised id of the disk or snapshot that *resource* is a copy of, or nothing."""
    data = _creation_data(resource)
    source = normalise_id(str(data.get("sourceResourceId") or ""))
    is_copy = str(data.get("createOption") or "").lower() in _COPIES
    return source if is_copy and _COPYABLE.match(source) else ""


def shared_form(image_id: str) -> str:
    """Return how users of direct sharing see our gallery image *image_id*; empty for others.

    Azure calls a gallery it shares directly `<subscription>-<gallery name>`
    (https://learn.microsoft.com/azure/virtual-machines/share-gallery-direct).
    """
    match = _OWN.match(image_id)
    if not match:
        return ""
    return f"/sharedgalleries/{match['subscription']}-{match['gallery']}/images/{match['image']}"


def _from_origins(origins: Iterable[Json]) -> Image:
    for distance, resource in enumerate(origins):
        data = _creation_data(resource)
        image = _from_disk_references(data.get("galleryImageReference"), data.get("imageReference"))
        if image.image_id:
            return replace(image, source=LineageSource.SNAPSHOT if distance else LineageSource.DISK)
    return Image()


def _from_disk_references(*references: Json | None) -> Image:
    images = [from_reference(r) for r in references]
    return next((i for i in images if i.image_id), Image())


def _from_ids(reference: Json) -> Image:
    """Read the first id of *reference*; a disk writes ids of every sort under `id`."""
    names = ("id", "sharedGalleryImageId", "communityGalleryImageId")
    text = next((str(reference[n]) for n in names if reference.get(n)), "")
    resource_id = normalise_id(text)
    if shared := _SHARED.match(resource_id):
        return Image(
            image_id=shared["image"],
            version=shared["version"] or "",
            source=LineageSource.SHARED_GALLERY,
        )
    known = LineageSource.IMAGE_REFERENCE
    if own := parse_gallery_image(resource_id):
        return Image(image_id=own.image_id, version=own.version or "", source=known)
    if sold := _MARKETPLACE.match(resource_id):
        urn = f"{sold['publisher']}:{sold['offer']}:{sold['sku']}"
        return Image(image_id=urn, version=sold["version"], source=known)
    return Image(image_id=resource_id, source=known) if _is_managed(resource_id) else Image()


def _exact(version: str) -> str:
    """Return *version* unless it is `latest`, which Azure shows until a VM is created."""
    return "" if version.lower() == "latest" else version


def _is_managed(image_id: str) -> bool:
    return "/providers/microsoft.compute/images/" in image_id


def _creation_data(resource: Json) -> Json:
    properties = resource.get("properties")
    data = properties.get("creationData") if isinstance(properties, Mapping) else None
    return data if isinstance(data, Mapping) else {}
