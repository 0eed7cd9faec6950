"""The guests of our users' VMs in memory; time passes by looking."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.identifiers import normalise_id
from shared.domain.image_definition import OperatingSystem
from shared.errors import NotFoundError, RefusedError
from shared.ports import ConfigurationReport, GuestCommand, RunCommandStatus
from tests.fakes.dial import Dial

NOT_RUNNING = "Cannot modify extensions in the VM when the VM is not running."


@dataclass
class HeldCommand:
    """A run command as the fake holds it, with the looks it still takes; None for ever."""

    started_at: datetime
    looks: int | None


class FakeGuestTattoos(Dial):
    """Tattoos by resource id; None for a guest that has none."""

    def __init__(self, *, command_looks: int | None = 1) -> None:
        super().__init__()
        self.command_looks = command_looks
        self.guests: dict[str, str | None] = {}
        self.off: set[str] = set()
        """VMs that are not running."""
        self.reports: dict[str, ConfigurationReport] = {}
        self.commands: dict[str, HeldCommand] = {}
        self.answers: dict[str, RunCommandStatus] = {}
        """How the run command of a VM ends, where its tattoo does not say."""
        self.started: list[str] = []
        self.asked: list[str] = []
        """VMs machine configuration was asked of."""

    def put(self, resource_id: str, text: str | None) -> None:
        """Give a guest a tattoo, or none."""
        self.guests[normalise_id(resource_id)] = text

    async def start(
        self, resource_id: str, *, os: OperatingSystem, region: str, now: datetime
    ) -> None:
        self._call("start")
        vm = normalise_id(resource_id)
        if vm not in self.guests:
            raise NotFoundError(f"there is no VM {vm}")
        if vm in self.off:
            raise RefusedError(f"Azure did not read the tattoo in {vm}: {NOT_RUNNING}")
        self.started.append(vm)
        self.commands[vm] = HeldCommand(now, self.command_looks)

    async def result(self, resource_id: str) -> GuestCommand | None:
        self._call("result")
        vm = normalise_id(resource_id)
        held = self.commands.get(vm)
        if held is None:
            return None
        if held.looks is None:
            return GuestCommand(started_at=held.started_at, status=RunCommandStatus(finished=False))
        held.looks -= 1
        status = RunCommandStatus(finished=False) if held.looks >= 0 else self._ended(vm)
        return GuestCommand(started_at=held.started_at, status=status)

    def _ended(self, vm: str) -> RunCommandStatus:
        text = self.guests[vm]
        if vm in self.answers:
            return self.answers[vm]
        if text is None:
            error = "cat: /etc/assay/tattoo: No such file or directory\n"
            return RunCommandStatus(finished=True, exit_code=1, error=error)
        return RunCommandStatus(finished=True, exit_code=0, output=text)

    async def remove(self, resource_id: str) -> None:
        self._call("remove")
        self.commands.pop(normalise_id(resource_id), None)

    async def machine_configuration(self, resource_id: str) -> ConfigurationReport | None:
        self._call("machine_configuration")
        self.asked.append(normalise_id(resource_id))
        return self.reports.get(normalise_id(resource_id))
