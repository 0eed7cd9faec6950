"""verify_image: boot the captured version, run every check in it, and always remove the VM."""

from dataclasses import replace
from datetime import datetime

from shared.domain.build import Attempt, Build, Phase
from shared.domain.evidence import tattoo_digest
from shared.domain.failure import Failure, FailureClass
from shared.domain.image_definition import Check, ImageDefinition
from shared.domain.tattoo import parse
from shared.domain.verification import TATTOO, Verification
from shared.factory.checks import checks_of
from shared.factory.definitions import definition_named
from shared.factory.report_software import SoftwareReporter
from shared.factory.turns import Repeat, give_up_attempt, go, take_turn
from shared.factory.verification_run import VerificationRun
from shared.messages import Message, VerifyImage
from shared.ports import (
    Builds,
    Definitions,
    Evidence,
    ImageVersions,
    Pace,
    RunCommandStatus,
    Stored,
    VerificationVms,
)


async def verify_image(
    command: VerifyImage,
    *,
    definitions: Definitions,
    builds: Builds,
    image_versions: ImageVersions,
    verification_vms: VerificationVms,
    evidence: Evidence,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Bring the verification one look further: boot, check, remove, decide."""
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    build, attempt = stored.value, stored.value.attempt
    definition = definition_named(definitions, build.definition)
    reporter = SoftwareReporter(
        build=build,
        definition=definition,
        vms=verification_vms,
        image_versions=image_versions,
        evidence=evidence,
    )
    run = replace(_run(build, definition, verification_vms, now), report=reporter)

    async def read(check: Check, status: RunCommandStatus) -> None:
        if check.name == TATTOO:
            await _keep_tattoo(build, status.output, image_versions)

    if attempt.verification is None:
        seen = await run.begin(vm_name_of(attempt))
    else:
        seen = await run.look(attempt.verification, read)
    if seen.over:
        return await _decide(stored, seen.verification, builds=builds, now=now)
    return await go(
        stored,
        Phase.VERIFYING,
        builds=builds,
        now=now,
        wait=None if seen.at_once else pace.look,
        attempt=replace(attempt, verification=seen.verification),
    )


def vm_name_of(attempt: Attempt) -> str:
    """Return the name of the VM the version of *attempt* is verified in."""
    return f"{attempt.template}-verify"


def _run(
    build: Build, definition: ImageDefinition, vms: VerificationVms, now: datetime
) -> VerificationRun:
    async def make_vm(name: str) -> None:
        await vms.create(name, definition, build.attempt.version, build_id=build.id)

    return VerificationRun(
        definition=definition,
        checks=checks_of(definition, source=False),
        tattoo=build.attempt.tattoo,
        make_vm=make_vm,
        vms=vms,
        now=now,
    )


async def _keep_tattoo(build: Build, text: str, image_versions: ImageVersions) -> None:
    """Keep what only the guest knows of its tattoo: its `os-version`, and the digest of it all."""
    row = await image_versions.get(build.definition, build.attempt.version)
    os_version = parse(text).get("os-version", "")[:256]
    if row is None or not parse(text):
        return
    value = replace(
        row.value,
        tattoo={**row.value.tattoo, **({"os-version": os_version} if os_version else {})},
        evidence=replace(row.value.evidence, tattoo=tattoo_digest(text)),
    )
    if value != row.value:
        await image_versions.save(replace(row, value=value))


async def _decide(
    stored: Stored[Build], verification: Verification, *, builds: Builds, now: datetime
) -> list[Message]:
    if verification.failure:
        return await give_up_attempt(stored, verification.failure, builds=builds, now=now)
    if not verification.failed_checks:
        because = f"{len(verification.results)} checks passed"
        return await go(stored, Phase.ATTESTING, builds=builds, now=now, because=because)
    failure = Failure(
        failure_class=FailureClass.CHECK,
        message=f"checks failed: {failed_details(verification)}"[:1000],
    )
    return await give_up_attempt(stored, failure, builds=builds, now=now)


def failed_details(verification: Verification) -> str:
    """Return what the checks that stop the release said."""
    return "; ".join(f"{r.name}: {r.detail}" for r in verification.results if r.blocks)
