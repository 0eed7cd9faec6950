"""repair_image: decide what follows a failed attempt, and mark its version rejected."""

from dataclasses import replace
from datetime import datetime

from shared.domain.image_version import VersionState
from shared.domain.repair import decide_repair
from shared.factory.definitions import definition_named
from shared.factory.turns import Repeat, go, take_turn
from shared.messages import Message, RepairImage
from shared.ports import Builds, Definitions, Gallery, ImageVersions, Pace

STATE_TAG = "assay-state"


async def repair_image(
    command: RepairImage,
    *,
    definitions: Definitions,
    builds: Builds,
    image_versions: ImageVersions,
    gallery: Gallery,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Reject the attempt's version, then start another attempt or end the build.

    The rejected version stays in the gallery, excluded from latest, so that a person can look
    at it.
    """
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    build, attempt = stored.value, stored.value.attempt
    row = await image_versions.get(build.definition, attempt.version)
    if row and row.value.state in (VersionState.RESERVED, VersionState.CANDIDATE):
        reason = attempt.failure.message if attempt.failure else "the attempt failed"
        rejected = row.value.become(VersionState.REJECTED, now=now, because=reason)
        await image_versions.save(replace(row, value=rejected))
    if await gallery.version(build.image_id, attempt.version):
        state = {STATE_TAG: str(VersionState.REJECTED)}
        await gallery.tag(build.image_id, attempt.version, state)
    decision = decide_repair(build, definition_named(definitions, build.definition))
    return await go(
        stored,
        decision.phase,
        builds=builds,
        now=now,
        because=decision.because,
        wait=pace.retry * decision.waits or None,
        repairs=decision.repairs or build.repairs,
        applied=decision.applied,
    )
