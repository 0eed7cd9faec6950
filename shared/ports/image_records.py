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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The versions of a definition as they were read."""

    versions: tuple[ImageVersion, ...]
    read_at: datetime


class RecentVersions(Protocol):
    """The register of image versions for judging VMs one by one: it may be a little behind.

    Thousands of VMs are judged a second, and a definition has one partition. Whoever changes a
    version has its users judged at once and once more `Pace.second_look` later, when nobody
    remembers what was before.
    """

    async def recall(self, definition: str, *, running: str = "") -> Reading:
        """Return the versions as remembered for at most `Pace.remember`, else read them.

        They are read when *running* is not among those remembered: it may be brand-new.
        """

    async def read(self, definition: str) -> Reading:
        """Read the versions now, and remember them."""

    def is_outdated(self, reading: Reading) -> bool:
        """Tell whether *reading* is so old that the second look may be over already."""


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
