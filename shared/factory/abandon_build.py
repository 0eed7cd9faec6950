"""End a build whose message no step could do, so that nobody waits for it."""

from dataclasses import replace
from datetime import datetime

from shared.domain.build import Phase
from shared.domain.image_version import VersionState
from shared.factory.turns import following
from shared.messages import Message
from shared.ports import Builds, ImageVersions


async def abandon_build(
    build_id: str, *, builds: Builds, image_versions: ImageVersions, reason: str, now: datetime
) -> list[Message]:
    """Mark the build failed with *reason* and its version rejected; return its last words.

    A finished or unknown build is left alone. A failed build does not stand in the way of the
    next source version, and its own can be built again with `force`.
    """
    stored = await builds.get(build_id)
    if stored is None or stored.value.finished:
        return []
    build = stored.value.next(Phase.FAILED, now=now, because=reason[:1000])
    for attempt in build.attempts[-1:]:
        row = await image_versions.get(build.definition, attempt.version)
        if row and row.value.state in (VersionState.RESERVED, VersionState.CANDIDATE):
            rejected = row.value.become(VersionState.REJECTED, now=now, because=reason[:1000])
            await image_versions.save(replace(row, value=rejected))
    await builds.save(replace(stored, value=build))
    return following(build, now=now)
