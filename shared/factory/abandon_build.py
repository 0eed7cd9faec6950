"""End a build whose message no step could do, so that nobody waits for it."""

from dataclasses import replace
from datetime import datetime

from shared.domain.build import Phase
from shared.factory.turns import following
from shared.factory.withdraw import withdraw
from shared.messages import Message
from shared.ports import Builds, Gallery, ImageVersions


async def abandon_build(
    build_id: str,
    *,
    builds: Builds,
    image_versions: ImageVersions,
    gallery: Gallery,
    reason: str,
    now: datetime,
) -> list[Message]:
    """Mark the build failed with *reason* and withdraw its version; return its last words.

    A finished or unknown build is left alone. A failed build does not stand in the way of the
    next source version, and its own can be built again with `force`.
    """
    stored = await builds.get(build_id)
    if stored is None or stored.value.finished:
        return []
    await withdraw(
        stored.value,
        image_versions=image_versions,
        gallery=gallery,
        because=reason,
        now=now,
    )
    build = stored.value.next(Phase.FAILED, now=now, because=reason[:1000])
    await builds.save(replace(stored, value=build))
    return following(build, now=now)
