"""Our images as judging needs them: which ids are ours, and what the register says of each."""

import asyncio
from dataclasses import dataclass, field, replace

from shared.domain.image_version import ImageVersion
from shared.domain.lineage import shared_form
from shared.domain.vm_record import Image
from shared.ports import Definitions, Gallery, ImageVersions


@dataclass(slots=True, kw_only=True)
class Catalog:
    """Made for one message: each definition's versions are read once."""

    definitions: Definitions
    gallery: Gallery
    image_versions: ImageVersions
    _names: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Definition and our own image id, by every id under which users see the image."""
    _read: dict[str, list[ImageVersion]] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        for definition in self.definitions.values():
            image_id = self.gallery.image_id(definition)
            for seen_as in (image_id, shared_form(image_id)):
                self._names[seen_as] = (definition.name, image_id)

    def identify(self, image: Image) -> tuple[Image, str]:
        """Return *image* under our own id, with the name of its definition.

        An image that is not ours comes back as it is, with an empty name.
        """
        name, image_id = self._names.get(image.image_id, ("", image.image_id))
        return replace(image, image_id=image_id), name

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
