"""repair_image: decide what follows a failed attempt, and withdraw its version."""

from datetime import datetime

from shared.domain.repair import decide_repair
from shared.factory.definitions import definition_named
from shared.factory.turns import Repeat, go, take_turn
from shared.factory.withdraw import withdraw
from shared.messages import Message, RepairImage
from shared.ports import Builds, Definitions, Gallery, ImageVersions, Pace


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
    """Withdraw the attempt's version, then start another attempt or end the build."""
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    build = stored.value
    failure = build.attempt.failure
    await withdraw(
        build,
        image_versions=image_versions,
        gallery=gallery,
        because=failure.message if failure else "the attempt failed",
        now=now,
    )
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
