"""verify_image: boot the captured version, run every check in it, and always remove the VM."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.build import Attempt, Build, Phase
from shared.domain.failure import Failure, FailureClass, classify
from shared.domain.image_definition import ImageDefinition
from shared.domain.tattoo import parse, stamped
from shared.domain.verification import BOOT, TATTOO, CheckResult, Outcome, Stage, Verification
from shared.errors import NotFoundError
from shared.factory.checks import command_name, commands_of, result_of, tattoo_result
from shared.factory.definitions import definition_named
from shared.factory.turns import Repeat, give_up_attempt, go, take_turn
from shared.messages import Message, VerifyImage
from shared.ports import (
    Builds,
    Definitions,
    ImageVersions,
    MachineStatus,
    Pace,
    RunCommandStatus,
    Stored,
    VerificationVms,
)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at one verification, with what it needs at hand."""

    stored: Stored[Build]
    definition: ImageDefinition
    builds: Builds
    image_versions: ImageVersions
    vms: VerificationVms
    pace: Pace
    now: datetime

    @property
    def build(self) -> Build:
        return self.stored.value

    @property
    def attempt(self) -> Attempt:
        return self.stored.value.attempt

    async def again(self, verification: Verification, *, at_once: bool = False) -> list[Message]:
        attempt = replace(self.attempt, verification=verification)
        return await go(
            self.stored,
            Phase.VERIFYING,
            builds=self.builds,
            now=self.now,
            wait=None if at_once else self.pace.look,
            attempt=attempt,
        )


async def verify_image(
    command: VerifyImage,
    *,
    definitions: Definitions,
    builds: Builds,
    image_versions: ImageVersions,
    verification_vms: VerificationVms,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Bring the verification one look further: boot, check, remove, decide."""
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    definition = definition_named(definitions, stored.value.definition)
    look = _Look(stored, definition, builds, image_versions, verification_vms, pace, now)
    verification = look.attempt.verification
    if verification is None:
        return await _boot(look)
    match verification.stage:
        case Stage.BOOTING:
            return await _await_boot(look, verification)
        case Stage.CHECKING:
            return await _collect(look, verification)
        case Stage.REMOVING:
            return await _remove(look, verification)


def verification_vm(attempt: Attempt) -> str:
    """Return the name of the VM the attempt's version is booted in."""
    return f"{attempt.template}-verify"


async def _boot(look: _Look) -> list[Message]:
    vm_name = verification_vm(look.attempt)
    await look.vms.create(vm_name, look.definition, look.attempt.version, build_id=look.build.id)
    limit = timedelta(minutes=look.definition.verify_timeout_minutes)
    verification = Verification(vm_name=vm_name, started_at=look.now, deadline=look.now + limit)
    return await look.again(verification)


async def _await_boot(look: _Look, verification: Verification) -> list[Message]:
    status = await look.vms.status(verification.vm_name)
    if status is None:
        await look.vms.create(
            verification.vm_name, look.definition, look.attempt.version, build_id=look.build.id
        )
        return await look.again(verification)
    limit = look.definition.boot_seconds
    waited = (look.now - verification.started_at).total_seconds()
    if status.provisioning_state.lower() == "failed":
        return await _not_provisioned(look, verification, status, waited)
    if status.agent_ready:
        seconds = _boot_seconds(status, waited)
        if seconds > limit:
            said = f"ready after {seconds:.0f} s, allowed are {limit} s"
            return await _end(look, verification, _boot_failed(said, seconds))
        passed = CheckResult(name=BOOT, outcome=Outcome.PASSED, seconds=seconds)
        return await _start_checks(look, verification.with_results(passed))
    if waited > limit:
        said = f"the VM agent was not ready after {waited:.0f} s, allowed are {limit} s"
        return await _end(look, verification, _boot_failed(said, waited))
    return await look.again(verification)


async def _not_provisioned(
    look: _Look, verification: Verification, status: MachineStatus, waited: float
) -> list[Message]:
    """Azure could not make the VM: its own want of room or rights is no fault of the image."""
    failure = classify("", status.failure)
    if failure.failure_class in (FailureClass.CAPACITY, FailureClass.ACCESS):
        return await _end(look, replace(verification, failure=failure))
    return await _end(look, verification, _boot_failed(status.failure, waited))


def _boot_seconds(status: MachineStatus, waited: float) -> float:
    """Return the boot time by Azure's clock, else the time until we saw it, which is later.

    Ours alone would blame the image for a look that came late.
    """
    if status.created_at is None or status.provisioned_at is None:
        return waited
    return (status.provisioned_at - status.created_at).total_seconds()


def _boot_failed(detail: str, seconds: float) -> CheckResult:
    return CheckResult(name=BOOT, outcome=Outcome.FAILED, detail=detail[:1000], seconds=seconds)


async def _start_checks(look: _Look, verification: Verification) -> list[Message]:
    for name, script, timeout in commands_of(look.definition):
        await look.vms.start_command(
            verification.vm_name, name, script, look.definition, timeout_seconds=timeout
        )
    return await look.again(replace(verification, stage=Stage.CHECKING))


async def _collect(look: _Look, verification: Verification) -> list[Message]:
    """Gather what has ended; when all has, or cannot any more, the VM goes."""
    late = (
        "it did not end in the time of the verification" if look.now > verification.deadline else ""
    )
    if await look.vms.status(verification.vm_name) is None:
        late = "the VM is gone: somebody deleted it"
    done = {r.name for r in verification.results}
    for name in (*(c.name for c in look.definition.checks), TATTOO):
        if name in done:
            continue
        status = await look.vms.command_status(verification.vm_name, command_name(name))
        if status and status.finished:
            verification = verification.with_results(await _judge(look, name, status))
        elif late:
            errored = CheckResult(name=name, outcome=Outcome.ERRORED, detail=late)
            verification = verification.with_results(errored)
        elif status is None:
            await _restart(look, verification, name)
    wanted = len(look.definition.checks) + 2  # the ready-made ones: boot and tattoo
    if len(verification.results) < wanted:
        return await look.again(verification)
    return await _end(look, verification)


async def _restart(look: _Look, verification: Verification, name: str) -> None:
    """Start the command of a check again; a VM that has just gone is the next look's matter."""
    for command, script, timeout in commands_of(look.definition):
        if command == command_name(name):
            with suppress(NotFoundError):
                await look.vms.start_command(
                    verification.vm_name, command, script, look.definition, timeout_seconds=timeout
                )


async def _judge(look: _Look, name: str, status: RunCommandStatus) -> CheckResult:
    if name != TATTOO:
        return result_of(look.definition, name, status)
    row = await look.image_versions.get(look.build.definition, look.attempt.version)
    facts = row.value.tattoo if row else {}
    os_version = parse(status.output).get("os-version", "")[:256]
    if row and os_version and facts.get("os-version") != os_version:
        learnt = replace(row.value, tattoo={**facts, "os-version": os_version})
        await look.image_versions.save(replace(row, value=learnt))
    return tattoo_result(status, stamped(facts))


async def _end(look: _Look, verification: Verification, *results: CheckResult) -> list[Message]:
    """Every result is in: save them before the VM goes, for they cannot be had again."""
    ended = replace(verification.with_results(*results), stage=Stage.REMOVING)
    return await look.again(ended, at_once=True)


async def _remove(look: _Look, verification: Verification) -> list[Message]:
    """See the VM gone and decide; one that will not go is left to clean_up_build."""
    stuck = look.now > verification.deadline + look.pace.blind
    if not stuck and await look.vms.status(verification.vm_name) is not None:
        await look.vms.delete(verification.vm_name)
        return await look.again(verification)
    if verification.failure:
        return await give_up_attempt(
            look.stored, verification.failure, builds=look.builds, now=look.now
        )
    failed = verification.failed_checks
    if not failed:
        because = f"{len(verification.results)} checks passed"
        return await go(
            look.stored, Phase.PUBLISHING, builds=look.builds, now=look.now, because=because
        )
    details = "; ".join(f"{r.name}: {r.detail}" for r in verification.results if r.blocks)
    failure = Failure(failure_class=FailureClass.CHECK, message=f"checks failed: {details}"[:1000])
    return await give_up_attempt(look.stored, failure, builds=look.builds, now=look.now)
