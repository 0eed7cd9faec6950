"""The Compute Gallery image versions are kept in."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.domain.image_definition import ImageDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryVersion:
    """A gallery image version as Azure describes it now; regions by short name."""

    resource_id: str
    provisioning_state: str
    excluded_from_latest: bool
    regions: dict[str, int]
    """Target regions and their replica counts."""
    excluded_regions: frozenset[str] = frozenset()
    """Regions that exclude it from latest on their own."""
    replicated: frozenset[str] = frozenset()
    """Regions whose replication is complete."""
    failed_regions: frozenset[str] = frozenset()
    tags: dict[str, str] = field(default_factory=dict)
    end_of_life: datetime | None = None
    deletion_blocked: bool = False
    """Whether Azure refuses to delete it before its end of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """How a gallery version is published: what one update of it says."""

    regions: dict[str, int]
    """Every region and its replicas: Azure takes a region left out as an order to remove it."""
    excluded_from_latest: bool
    excluded_regions: frozenset[str] = frozenset()
    """Regions that exclude it from latest on their own."""
    end_of_life: datetime | None = None
    """In the future; None leaves the date as it is."""
    block_deletion: bool | None = None
    """Whether deletion before the end of life is refused; None leaves that as it is."""
    tags: dict[str, str] | None = None
    """Every tag it is to have; None leaves them as they are."""


class Gallery(Protocol):
    """Our Compute Gallery."""

    def image_id(self, definition: ImageDefinition) -> str:
        """Return the normalised id of the gallery image definition of *definition*."""

    async def ensure_image(self, definition: ImageDefinition) -> None:
        """Create the gallery image definition where it is missing."""

    async def version(self, image_id: str, version: str) -> GalleryVersion | None:
        """Read a version with its replication; None when it does not exist."""

    async def versions(self, image_id: str) -> list[str]:
        """List the version numbers the gallery holds."""

    async def tag(self, image_id: str, version: str, tags: dict[str, str]) -> None:
        """Add *tags* to those of a version; no call when it has them already."""

    async def set_publishing(self, image_id: str, version: str, publishing: Publishing) -> None:
        """Ask for *publishing*, with the full list of regions.

        Raises NotFoundError when the version does not exist.
        """

    async def delete(self, image_id: str, version: str) -> None:
        """Ask for the deletion of a version; no error when it is gone or going.

        Raises RefusedError before its end of life, when deletion is blocked until then.
        """
