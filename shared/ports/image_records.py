"""The records of images: their versions, their channels and their Marketplace sources."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.channel import ImageChannels
from shared.domain.image_version import ImageVersion
from shared.ports.values import Stored


class ImageVersions(Protocol):
    """The register of image versions, by definition and version."""

    async def get(self, definition: str, version: str) -> Stored[ImageVersion] | None:
        """Load a version."""

    async def save(self, version: Stored[ImageVersion]) -> Stored[ImageVersion]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""

    async def list(self, definition: str) -> list[Stored[ImageVersion]]:
        """List every version of a definition, highest number first."""

    async def children(
        self, definition: str, version: str, *, limit: int
    ) -> Sequence[ImageVersion]:
        """List versions built right from this one, by definition and number, at most *limit*."""


class Channels(Protocol):
    """The channels of every image: one record per definition."""

    async def get(self, definition: str) -> Stored[ImageChannels] | None:
        """Load the channels of a definition."""

    async def save(self, channels: Stored[ImageChannels]) -> Stored[ImageChannels]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """The newest version of one Marketplace source that was announced, and how looking went."""

    urn: str
    version: str
    announced_at: datetime | None
    checked_at: datetime
    """When the last look gave another answer than the one before."""
    problem: str = ""
    """Why the last look found nothing; empty when it found something."""


class Sources(Protocol):
    """What was last seen of each Marketplace source, by URN."""

    async def get(self, urn: str) -> Stored[SourceRecord] | None:
        """Load what was last seen."""

    async def save(self, record: Stored[SourceRecord]) -> Stored[SourceRecord]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
