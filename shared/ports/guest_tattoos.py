"""The tattoo in the guests of our users' VMs: the only thing that is read there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.image_definition import OperatingSystem
from shared.ports.verification_vms import RunCommandStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestCommand:
    """The run command that prints a tattoo."""

    started_at: datetime | None
    """When we asked for it; None when that cannot be told."""
    status: RunCommandStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationReport:
    """What machine configuration last reported of a tattoo."""

    checked_at: datetime
    reasons: tuple[tuple[str, str], ...]
    """Code and phrase of each."""


class GuestTattoos(Protocol):
    """One run command of a fixed name in each VM, and the reports of machine configuration.

    Resource ids are those of VMs and of scale-set instances.
    """

    async def start(
        self, resource_id: str, *, os: OperatingSystem, region: str, now: datetime
    ) -> None:
        """Have the guest print its tattoo.

        Raises NotFoundError when the VM does not exist, and RefusedError or NotReadyError when it
        takes no run command: it is not running, is locked, or we have no right to.
        """

    async def result(self, resource_id: str) -> GuestCommand | None:
        """Read the run command; None when there is none."""

    async def remove(self, resource_id: str) -> None:
        """Ask for the run command's deletion; no error when it, or the VM, is gone."""

    async def machine_configuration(self, resource_id: str) -> ConfigurationReport | None:
        """Read the last report on the tattoo of a VM; None when there is none."""
