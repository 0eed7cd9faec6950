"""A Compute Gallery in memory; time passes by looking."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.domain.identifiers import normalise_id
from shared.domain.image_definition import ImageDefinition
from shared.errors import NotFoundError, RefusedError
from shared.ports import GalleryVersion, Publishing
from tests.fakes.dial import Dial

GALLERY = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/rg-assay"
    "/providers/microsoft.compute/galleries/assay"
)


@dataclass
class HeldVersion:
    """A version as the fake gallery holds it; *looks* is how many more replication takes."""

    image_id: str
    version: str
    regions: dict[str, int]
    excluded: bool = True
    tags: dict[str, str] = field(default_factory=dict)
    looks: int = 0
    replicated: set[str] = field(default_factory=set)
    failed_regions: frozenset[str] = frozenset()
    excluded_regions: frozenset[str] = frozenset()
    end_of_life: datetime | None = None
    deletion_blocked: bool = False

    def look(self) -> bool:
        """Tell whether it is replicated everywhere by now, and let a look's worth of time pass."""
        done = self.looks == 0
        if done:
            self.replicated = set(self.regions) - self.failed_regions
        self.looks = max(0, self.looks - 1)
        return done


class FakeGallery(Dial):
    """Image definitions and versions; replication takes *replication_looks* looks."""

    def __init__(self, *, gallery_id: str = GALLERY, replication_looks: int = 1) -> None:
        super().__init__()
        self.gallery_id = gallery_id
        self.replication_looks = replication_looks
        self.images: list[str] = []
        self.held: dict[str, HeldVersion] = {}
        """Versions by normalised resource id."""
        self.published: list[tuple[str, bool]] = []
        """Every `set_publishing`, as version and whether it was excluded."""
        self.deleted: list[str] = []
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def image_id(self, definition: ImageDefinition) -> str:
        return normalise_id(f"{self.gallery_id}/images/{definition.name}")

    def put(
        self,
        image_id: str,
        version: str,
        *,
        regions: dict[str, int] | None = None,
        excluded: bool = True,
        tags: dict[str, str] | None = None,
        looks: int = 0,
    ) -> HeldVersion:
        """Put a version into the gallery, replicated after *looks* more looks."""
        held = HeldVersion(
            image_id=image_id,
            version=version,
            regions=regions or {"westeurope": 1},
            excluded=excluded,
            tags=dict(tags or {}),
            looks=looks,
        )
        self.held[f"{image_id}/versions/{version}"] = held
        return held

    def remove(self, image_id: str, version: str) -> None:
        """Delete a version behind Assay's back."""
        del self.held[f"{image_id}/versions/{version}"]

    async def ensure_image(self, definition: ImageDefinition) -> None:
        self._call("ensure_image")
        if self.image_id(definition) not in self.images:
            self.images.append(self.image_id(definition))

    async def version(self, image_id: str, version: str) -> GalleryVersion | None:
        self._call("version")
        resource_id = f"{normalise_id(image_id)}/versions/{version}"
        held = self.held.get(resource_id)
        if held is None:
            return None
        done = held.look()
        return GalleryVersion(
            resource_id=resource_id,
            provisioning_state="Succeeded" if done else "Updating",
            excluded_from_latest=held.excluded,
            regions=dict(held.regions),
            replicated=frozenset(held.replicated),
            failed_regions=held.failed_regions,
            tags=dict(held.tags),
            excluded_regions=held.excluded_regions,
            end_of_life=held.end_of_life,
            deletion_blocked=held.deletion_blocked,
        )

    async def versions(self, image_id: str) -> list[str]:
        self._call("versions")
        return [h.version for h in self.held.values() if h.image_id == normalise_id(image_id)]

    async def tag(self, image_id: str, version: str, tags: dict[str, str]) -> None:
        self._call("tag")
        self._held(normalise_id(image_id), version).tags.update(tags)

    async def set_publishing(self, image_id: str, version: str, publishing: Publishing) -> None:
        self._call("set_publishing")
        held = self._held(normalise_id(image_id), version)
        wanted = publishing.regions
        if wanted != held.regions:
            held.looks = self.replication_looks
            held.replicated &= set(wanted)
        held.regions = dict(wanted)
        held.excluded = publishing.excluded_from_latest
        held.excluded_regions = publishing.excluded_regions
        held.end_of_life = publishing.end_of_life or held.end_of_life
        if publishing.block_deletion is not None:
            held.deletion_blocked = publishing.block_deletion
        if publishing.tags is not None:
            held.tags = dict(publishing.tags)
        self.published.append((version, publishing.excluded_from_latest))

    async def delete(self, image_id: str, version: str) -> None:
        self._call("delete")
        resource_id = f"{normalise_id(image_id)}/versions/{version}"
        held = self.held.get(resource_id)
        if held is None:
            return
        if held.deletion_blocked and held.end_of_life and held.end_of_life > self.clock():
            raise RefusedError(
                "Azure refuses: DeleteGalleryImageVersionBlockedBeforeEndOfLife "
                f"({held.end_of_life})"
            )
        del self.held[resource_id]
        self.deleted.append(version)

    def _held(self, image_id: str, version: str) -> HeldVersion:
        held = self.held.get(f"{image_id}/versions/{version}")
        if held is None:
            raise NotFoundError(
                f"the gallery has no version {version} of {image_id}; it was deleted"
            )
        return held
