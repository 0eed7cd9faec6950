"""The versions a process remembers for a moment, so that judging a VM need not read them."""

from collections.abc import Callable
from datetime import datetime

from shared.ports import ImageVersions, Pace, Reading


class RememberedVersions:
    """Implements `shared.ports.RecentVersions` over the register, for one process."""

    def __init__(
        self, image_versions: ImageVersions, *, pace: Pace, clock: Callable[[], datetime]
    ) -> None:
        self._image_versions = image_versions
        self._pace = pace
        self._clock = clock
        self._readings: dict[str, Reading] = {}

    async def recall(self, definition: str, *, running: str = "") -> Reading:
        """Return the versions as remembered, else read them."""
        held = self._readings.get(definition)
        if held is None or self._clock() - held.read_at > self._pace.remember:
            return await self.read(definition)
        known = not running or any(v.version == running for v in held.versions)
        return held if known else await self.read(definition)

    async def read(self, definition: str) -> Reading:
        """Read the versions now, and remember them."""
        at = self._clock()
        stored = await self._image_versions.list(definition)
        self._readings[definition] = Reading(versions=tuple(s.value for s in stored), read_at=at)
        return self._readings[definition]

    def is_outdated(self, reading: Reading) -> bool:
        """Tell whether *reading* is so old that the second look may be over already."""
        return self._clock() - reading.read_at > self._pace.slow
