"""The VMs candidates are verified in, and the commands run in them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.image_definition import ImageDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStatus:
    """A verification VM as Azure describes it now."""

    provisioning_state: str
    """`Creating`, `Succeeded`, `Failed`, `Deleting` …"""
    agent_ready: bool
    failure: str = ""
    """What Azure says is wrong, when the state is `Failed`."""
    created_at: datetime | None = None
    provisioned_at: datetime | None = None
    """When Azure was done with the VM, its operating system included, by Azure's own clock."""
    agent_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommandStatus:
    """A managed run command as Azure describes it now."""

    finished: bool
    exit_code: int | None = None
    output: str = ""
    """At most the last 4,096 bytes the script printed."""
    error: str = ""
    timed_out: bool = False
    failure: str = ""
    """Why Azure could not run the script at all; empty when it ran."""
    started_at: datetime | None = None
    ended_at: datetime | None = None


class VerificationVms(Protocol):
    """The VMs candidates are booted in; each lives for one verification."""

    async def create(
        self, vm_name: str, definition: ImageDefinition, version: str, *, build_id: str
    ) -> None:
        """Ask for a VM of the image version; no error when it exists already."""

    async def create_from_source(
        self, vm_name: str, definition: ImageDefinition, source_version: str, *, build_id: str
    ) -> None:
        """Ask for a VM of the bare Marketplace version; no error when it exists already."""

    async def status(self, vm_name: str) -> MachineStatus | None:
        """Read the VM; None when it does not exist."""

    async def start_command(
        self, vm_name: str, name: str, script: str, definition: ImageDefinition,
        *, timeout_seconds: int,
    ) -> None:  # fmt: skip
        """Run *script* in the guest under *name*; no second run when it was started before."""

    async def command_status(self, vm_name: str, name: str) -> RunCommandStatus | None:
        """Read a run command; None when it was never started."""

    async def delete(self, vm_name: str) -> None:
        """Ask for the VM's deletion, disk and network interface too; no error when it is gone."""
