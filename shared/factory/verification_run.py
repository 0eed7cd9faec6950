"""One verification, look by look: boot a VM, run checks in it, remove it; whatever it is of."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.failure import FailureClass, classify
from shared.domain.image_definition import Check, ImageDefinition
from shared.domain.verification import AGENT, BOOT, CheckResult, Outcome, Stage, Verification
from shared.errors import NotFoundError
from shared.factory.checks import Command, commands_of, judged, result_of
from shared.ports import MachineStatus, RunCommandStatus, VerificationVms

REMOVAL_LIMIT = timedelta(minutes=30)
"""A VM is waited for so long after the verification's deadline to be gone: our bound."""
READY_MADE = (BOOT, AGENT)
"""Results every verification has that got as far as its checks."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A verification after one look at it."""

    verification: Verification
    at_once: bool = False
    """The next look needs no wait."""
    over: bool = False
    """Every result is in and the VM is gone."""


class GuestReport(Protocol):
    """Something the guest is asked for besides the checks."""

    async def start(self, vm_name: str) -> None:
        """Ask for it."""

    async def read(self, verification: Verification, late: str) -> CheckResult | None:
        """Return how it ended; None while it has not. *late* says why there is no more time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRun:
    """What is verified and how; *make_vm* asks for its VM, and does nothing when it is there."""

    definition: ImageDefinition
    checks: Sequence[Check]
    tattoo: dict[str, str]
    """The facts the guest must show; read only where the tattoo is among *checks*."""
    make_vm: Callable[[str], Awaitable[None]]
    vms: VerificationVms
    now: datetime
    report: GuestReport | None = None
    """Asked once every check has ended; its result is the last."""

    async def begin(self, vm_name: str) -> Seen:
        """Ask for the VM."""
        await self.make_vm(vm_name)
        limit = timedelta(minutes=self.definition.verify_timeout_minutes)
        return Seen(Verification(vm_name=vm_name, started_at=self.now, deadline=self.now + limit))

    async def look(
        self,
        verification: Verification,
        read: Callable[[Check, RunCommandStatus], Awaitable[None]],
    ) -> Seen:
        """Bring it one look further; *read* is shown what every check printed that has ended."""
        match verification.stage:
            case Stage.BOOTING:
                return await self._await_boot(verification)
            case Stage.CHECKING:
                return await self._collect(verification, read)
            case Stage.REMOVING:
                return await self._remove(verification)

    async def _await_boot(self, verification: Verification) -> Seen:
        status = await self.vms.status(verification.vm_name)
        if status is None:
            await self.make_vm(verification.vm_name)
            return Seen(verification)
        limit = self.definition.boot_seconds
        waited = (self.now - verification.started_at).total_seconds()
        if status.provisioning_state.lower() == "failed":
            return _not_provisioned(verification, status, waited)
        if status.agent_ready:
            seconds = _boot_seconds(status, waited)
            if seconds > limit:
                said = f"ready after {seconds:.0f} s, allowed are {limit} s"
                return _ended(verification, _agent(status), _failed(BOOT, said, seconds))
            booted = CheckResult(name=BOOT, outcome=Outcome.PASSED, seconds=seconds)
            return await self._start_checks(verification.with_results(booted, _agent(status)))
        if waited <= limit:
            return Seen(verification)
        said = f"the VM agent was not ready after {waited:.0f} s, allowed are {limit} s"
        results = [_failed(BOOT, said, waited)]
        if status.provisioning_state.lower() == "succeeded":
            results.append(_failed(AGENT, "the VM is there, but its agent does not answer", waited))
        return _ended(verification, *results)

    async def _start_checks(self, verification: Verification) -> Seen:
        await self._start(commands_of(self.checks, verification), verification.vm_name)
        checking = replace(verification, stage=Stage.CHECKING)
        if self.report is not None:
            await self.report.start(verification.vm_name)
        return Seen(checking) if self.checks else _ended(checking)

    async def _start(self, commands: Iterable[Command], vm_name: str) -> None:
        for command in commands:
            await self.vms.start_command(
                vm_name,
                command.name,
                command.check.script,
                self.definition,
                timeout_seconds=command.check.timeout_seconds,
            )

    async def _collect(
        self,
        verification: Verification,
        read: Callable[[Check, RunCommandStatus], Awaitable[None]],
    ) -> Seen:
        """Gather what has ended, run again what may be; when all has ended, or cannot, end."""
        late = await self._late(verification)
        started: set[str] = set()
        for command in commands_of(self.checks, verification):
            status = await self.vms.command_status(verification.vm_name, command.name)
            if status and status.finished:
                await read(command.check, status)
                result = result_of(command.check, status, tattoo=self.tattoo)
                last = replace(command.check, retries=0) if late else command.check
                verification = judged(last, result, verification)
            elif late:
                errored = CheckResult(
                    name=command.check.name,
                    outcome=Outcome.ERRORED,
                    severity=command.check.severity,
                    detail=late,
                    runs=verification.runs_of(command.check.name),
                )
                verification = verification.with_results(errored)
            if status:
                started.add(command.name)
        left = [c for c in commands_of(self.checks, verification) if c.name not in started]
        with suppress(NotFoundError):  # a VM that has just gone is the next look's matter
            await self._start(left, verification.vm_name)
        open_ = len(verification.results) < len(self.checks) + len(READY_MADE)
        if open_:
            return Seen(verification)
        if self.report is None:
            return _ended(verification)
        reported = await self.report.read(verification, late)
        return _ended(verification, reported) if reported else Seen(verification)

    async def _late(self, verification: Verification) -> str:
        """Return why nothing more is waited for; empty while there is time."""
        if await self.vms.status(verification.vm_name) is None:
            return "the VM is gone: somebody deleted it"
        if self.now > verification.deadline:
            return "it did not end in the time of the verification"
        return ""

    async def _remove(self, verification: Verification) -> Seen:
        """See the VM gone; one that will not go is left to clean_up_build."""
        stuck = self.now > verification.deadline + REMOVAL_LIMIT
        if stuck or await self.vms.status(verification.vm_name) is None:
            return Seen(verification, over=True)
        await self.vms.delete(verification.vm_name)
        return Seen(verification)


def _ended(verification: Verification, *results: CheckResult) -> Seen:
    """Every result is in: they are saved before the VM goes, for they cannot be had again."""
    ended = replace(verification.with_results(*results), stage=Stage.REMOVING)
    return Seen(ended, at_once=True)


def _agent(status: MachineStatus) -> CheckResult:
    said = f"version {status.agent_version}" if status.agent_version else "it answers"
    return CheckResult(name=AGENT, outcome=Outcome.PASSED, detail=said)


def _failed(name: str, detail: str, seconds: float) -> CheckResult:
    return CheckResult(name=name, outcome=Outcome.FAILED, detail=detail[:1000], seconds=seconds)


def _not_provisioned(verification: Verification, status: MachineStatus, waited: float) -> Seen:
    """Azure could not make the VM: its own want of room or rights is no fault of the image."""
    failure = classify("", status.failure)
    if failure.failure_class in (FailureClass.CAPACITY, FailureClass.ACCESS):
        return _ended(replace(verification, failure=failure))
    return _ended(verification, _failed(BOOT, status.failure, waited))


def _boot_seconds(status: MachineStatus, waited: float) -> float:
    """Return the boot time by Azure's clock, else the time until we saw it, which is later.

    Ours alone would blame the image for a look that came late.
    """
    if status.created_at is None or status.provisioned_at is None:
        return waited
    return (status.provisioned_at - status.created_at).total_seconds()
