"""Our images as judging needs them: which ids are ours, and what the register says of each."""

import asyncio
import re
from dataclasses import dataclass, field, replace

from shared.domain.identifiers import parse_resource_id
from shared.domain.image_version import ImageVersion
from shared.domain.lineage import shared_form
from shared.domain.vm_record import Image, VmFacts
from shared.ports import Definitions, Gallery, ImageVersions

BUILD_TAG = "assay-build"
"""Tag of the VMs candidates are verified in: the build it is for."""

_STAGING_OWNER = 40
_STAGING = re.compile(r"^it_(?P<owner>.+)_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


@dataclass(slots=True, kw_only=True)
class Catalog:
    """Made for one message: each definition's versions are read once."""

    definitions: Definitions
    gallery: Gallery
    image_versions: ImageVersions
    _names: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Definition and our own image id, by every id under which users see the image."""
    _groups: set[tuple[str, str]] = field(default_factory=set)
    """Subscription and resource group of our galleries."""
    _read: dict[str, list[ImageVersion]] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        for definition in self.definitions.values():
            image_id = self.gallery.image_id(definition)
            parsed = parse_resource_id(image_id)
            self._groups.add((parsed.subscription_id, parsed.resource_group))
            for seen_as in (image_id, shared_form(image_id)):
                self._names[seen_as] = (definition.name, image_id)

    def identify(self, image: Image) -> tuple[Image, str]:
        """Return *image* under our own id, with the name of its definition.

        An image that is not ours comes back as it is, with an empty name.
        """
        name, image_id = self._names.get(image.image_id, ("", image.image_id))
        return replace(image, image_id=image_id), name

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

    async def versions(self, definition: str) -> list[ImageVersion] | None:
        """Return the register's versions of *definition*; None for the empty name."""
        if not definition:
            return None
        async with self._lock:
            if definition not in self._read:
                self._read[definition] = await self._list(definition)
            return self._read[definition]

    async def refresh(self) -> bool:
        """Read again what was read; tell whether the register says something else now."""
        before = self._read
        self._read = {name: await self._list(name) for name in before}
        return self._read != before

    async def _list(self, definition: str) -> list[ImageVersion]:
        return [stored.value for stored in await self.image_versions.list(definition)]


def _is_staging(resource_group: str, templates_group: str) -> bool:
    """Tell whether Image Builder made *resource_group* for a template in *templates_group*.

    Its name is `IT_<group>_<template>_<guid>`, group and template cut to 40 characters together
    (seen in recorded traffic of Image Builder).
    """
    match = _STAGING.match(resource_group)
    owner = match["owner"] if match else ""
    return owner.startswith(f"{templates_group}_"[:_STAGING_OWNER])
