"""verify_source: boot the bare source version and run the checks meant for it, before building."""

from datetime import datetime

from shared.domain.build import Build, Phase
from shared.domain.image_definition import Check, ImageDefinition
from shared.domain.verification import Verification
from shared.factory.checks import checks_of
from shared.factory.definitions import definition_named
from shared.factory.turns import Repeat, go, take_turn
from shared.factory.verification_run import VerificationRun
from shared.factory.verify_image import failed_details
from shared.messages import Message, VerifySource
from shared.ports import Builds, Definitions, Pace, RunCommandStatus, Stored, VerificationVms


async def verify_source(
    command: VerifySource,
    *,
    definitions: Definitions,
    builds: Builds,
    verification_vms: VerificationVms,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Bring the verification one look further; a source that fails is not built from.

    No repair answers it: what the publisher ships broken, the next source version mends.
    """
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    build = stored.value
    definition = definition_named(definitions, build.definition)
    run = _run(build, definition, verification_vms, now)
    if build.source_verification is None:
        seen = await run.begin(f"{build.id}-source")
    else:
        seen = await run.look(build.source_verification, _unread)
    if seen.over:
        return await _decide(stored, seen.verification, builds=builds, now=now)
    return await go(
        stored,
        Phase.VERIFYING_SOURCE,
        builds=builds,
        now=now,
        wait=None if seen.at_once else pace.look,
        source_verification=seen.verification,
    )


def _run(
    build: Build, definition: ImageDefinition, vms: VerificationVms, now: datetime
) -> VerificationRun:
    async def make_vm(name: str) -> None:
        await vms.create_from_source(name, definition, build.source_version, build_id=build.id)

    return VerificationRun(
        definition=definition,
        checks=checks_of(definition, source=True),
        tattoo={},
        make_vm=make_vm,
        vms=vms,
        now=now,
    )


async def _unread(check: Check, status: RunCommandStatus) -> None:
    """Nothing but the result of a check is of use here."""


async def _decide(
    stored: Stored[Build], verification: Verification, *, builds: Builds, now: datetime
) -> list[Message]:
    version = stored.value.source_version
    if verification.failed_checks:
        because = f"source version {version} is not sound: {failed_details(verification)}"
        return await go(stored, Phase.REJECTED, builds=builds, now=now, because=because[:1000])
    because = f"source version {version} is sound: {len(verification.results)} checks passed"
    return await go(stored, Phase.QUEUED, builds=builds, now=now, because=because)
