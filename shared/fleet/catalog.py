"""Our images as judging needs them: which ids are ours, and what the register says of each."""

import asyncio
import re
from dataclasses import dataclass, field, replace

from shared.domain.identifiers import parse_resource_id
from shared.domain.image_version import ImageVersion
from shared.domain.lineage import shared_form
from shared.domain.vm_record import Image, VmFacts
from shared.ports import Definitions, Gallery, Reading, RecentVersions

BUILD_TAG = "assay-build"
"""Tag of the VMs candidates are verified in: the build it is for."""

_STAGING_OWNER = 40
_STAGING = re.compile(r"^it_(?P<owner>.+)_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


@dataclass(slots=True, kw_only=True)
class Catalog:
    """Made for one message: each definition's versions are taken once.

    A *sure* catalog reads them; another takes what the process remembers, as `RecentVersions` says.
    """

    definitions: Definitions
    gallery: Gallery
    recent_versions: RecentVersions
    sure: bool = False
    _galleries: dict[str, str] = field(default_factory=dict)
    """Our own form of what gallery image ids start with, by every form users see."""
    _groups: set[tuple[str, str]] = field(default_factory=set)
    """Subscription and resource group of our galleries."""
    _taken: dict[str, Reading] = field(default_factory=dict)
    _read: set[str] = field(default_factory=set)
    """Definitions that were read for this message: what is missing there is missing."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        for definition in self.definitions.values():
            image_id = self.gallery.image_id(definition)
            parsed = parse_resource_id(image_id)
            self._groups.add((parsed.subscription_id, parsed.resource_group))
            own = _gallery_of(image_id)
            for seen_as in (own, _gallery_of(shared_form(image_id))):
                self._galleries[seen_as] = own

    async def identify(self, image: Image) -> tuple[Image, str]:
        """Return *image* under our own id, with the name of its definition.

        A gallery image has the name of its definition. One whose definition was removed is still
        ours, as long as the register has a version of it. An image that is not ours comes back as
        it is, with an empty name.
        """
        own = self._galleries.get(_gallery_of(image.image_id))
        if own is None:
            return image, ""
        name = image.image_id.rpartition("/")[2]
        if name not in self.definitions and not await self.versions(name, image.version):
            return image, ""
        return replace(image, image_id=f"{own}{name}"), name

    def is_workshop(self, facts: VmFacts) -> bool:
        """Tell whether a VM is there to make images: it lives for one build and is nobody's.

        Candidates are verified beside the gallery, in VMs with a tag of ours. Image Builder works
        in resource groups of its own, made where the templates are. Neither can be feigned by
        who may not write there.
        """
        parsed = parse_resource_id(facts.resource_id)
        return any(
            parsed.subscription_id == subscription
            and (
                (parsed.resource_group == group and BUILD_TAG in facts.tags)
                or _is_staging(parsed.resource_group, group)
            )
            for subscription, group in self._groups
        )

    async def versions(self, definition: str, running: str = "") -> tuple[ImageVersion, ...]:
        """Return the register's versions of *definition*; *running* is one that should be there."""
        async with self._lock:
            taken = self._taken.get(definition)
            if taken is None and not self.sure:
                taken = await self.recent_versions.recall(definition, running=running)
            known = taken and running in ("", *(v.version for v in taken.versions))
            if taken is None or not (known or definition in self._read):
                taken = await self.recent_versions.read(definition)
                self._read.add(definition)
            self._taken[definition] = taken
            return taken.versions

    async def refresh(self) -> bool:
        """Read again what was taken too long ago; tell whether it says something else now."""
        before = self._taken
        self._taken = {
            name: await self.recent_versions.read(name)
            if self.recent_versions.is_outdated(taken)
            else taken
            for name, taken in before.items()
        }
        return any(before[n].versions != taken.versions for n, taken in self._taken.items())


def definition_of(image_id: str, definitions: Definitions, gallery: Gallery) -> str:
    """Return the definition a gallery image is of; empty when it is not in our gallery.

    A gallery image has the name of its definition. It keeps it when the definition is removed.
    """
    ours = {_gallery_of(gallery.image_id(definition)) for definition in definitions.values()}
    return image_id.rpartition("/")[2] if _gallery_of(image_id) in ours else ""


def _gallery_of(image_id: str) -> str:
    """Return what the ids of a gallery's images start with, `/images/` included."""
    gallery, images, _ = image_id.rpartition("/images/")
    return gallery + images


def _is_staging(resource_group: str, templates_group: str) -> bool:
    """Tell whether Image Builder made *resource_group* for a template in *templates_group*.

    Its name is `IT_<group>_<template>_<guid>`, group and template cut to 40 characters together
    (seen in recorded traffic of Image Builder).
    """
    match = _STAGING.match(resource_group)
    owner = match["owner"] if match else ""
    return owner.startswith(f"{templates_group}_"[:_STAGING_OWNER])
