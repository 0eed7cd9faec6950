"""Verification VMs in memory; time passes by looking."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.domain.image_definition import ImageDefinition, MarketplaceSource
from shared.errors import NotFoundError, RefusedError
from shared.ports import MachineStatus, RunCommandStatus
from tests.fakes.dial import Dial
from tests.fakes.guest_software import printed

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class HeldMachine:
    """A VM as the fake holds it; *commands* counts the looks each run command still takes."""

    definition: str
    version: str
    build_id: str
    looks: int
    commands: dict[str, int] = field(default_factory=dict)


class FakeVerificationVms(Dial):
    """VMs by name: ready after *ready_looks* looks, a command done after *command_looks*."""

    def __init__(self, *, ready_looks: int = 1, command_looks: int = 1) -> None:
        super().__init__()
        self.ready_looks = ready_looks
        self.command_looks = command_looks
        self.now = NOON
        self.vms: dict[str, HeldMachine] = {}
        self.created: list[str] = []
        self.deleted: list[str] = []
        self.commands: list[tuple[str, str]] = []
        """Every command started, as VM and name."""
        self.scripts: dict[str, str] = {}
        """The script last started under each name."""
        self.answers: dict[str, RunCommandStatus] = {}
        """How commands end, by name; exit code 0 where nothing is said."""
        self.failures: dict[str, str] = {}
        """VMs whose creation fails, and what Azure says."""

    async def create(
        self, vm_name: str, definition: ImageDefinition, version: str, *, build_id: str
    ) -> None:
        self._call("create")
        if vm_name not in self.vms:
            self.created.append(vm_name)
            self.vms[vm_name] = HeldMachine(definition.name, version, build_id, self.ready_looks)

    async def create_from_source(
        self, vm_name: str, definition: ImageDefinition, source_version: str, *, build_id: str
    ) -> None:
        if not isinstance(definition.source, MarketplaceSource):
            raise RefusedError(f"{definition.name} is built from a golden image")
        await self.create(vm_name, definition, source_version, build_id=build_id)

    async def status(self, vm_name: str) -> MachineStatus | None:
        self._call("status")
        held = self.vms.get(vm_name)
        if held is None:
            return None
        held.looks -= 1
        if held.looks >= 0:
            return MachineStatus(provisioning_state="Creating", agent_ready=False)
        if vm_name in self.failures:
            return MachineStatus(
                provisioning_state="Failed", agent_ready=False, failure=self.failures[vm_name]
            )
        return MachineStatus(provisioning_state="Succeeded", agent_ready=True)

    async def start_command(
        self, vm_name: str, name: str, script: str, definition: ImageDefinition,
        *, timeout_seconds: int,
    ) -> None:  # fmt: skip
        self._call("start_command")
        if vm_name not in self.vms:
            raise NotFoundError(f"there is no VM {vm_name} to run {name} in; create it again")
        if timeout_seconds <= 0:
            raise RefusedError(f"run command {name} has no time to run")
        if name not in self.vms[vm_name].commands:
            self.vms[vm_name].commands[name] = self.command_looks
            self.commands.append((vm_name, name))
            self.scripts[name] = script

    async def command_status(self, vm_name: str, name: str) -> RunCommandStatus | None:
        self._call("command_status")
        held = self.vms.get(vm_name)
        if held is None or name not in held.commands:
            return None
        held.commands[name] -= 1
        if held.commands[name] >= 0:
            return RunCommandStatus(finished=False, started_at=self.now)
        ended = RunCommandStatus(finished=True, exit_code=0)
        return self.answers.get(name, printed(name) if name.startswith("software-") else ended)

    async def delete(self, vm_name: str) -> None:
        self._call("delete")
        if self.vms.pop(vm_name, None):
            self.deleted.append(vm_name)
