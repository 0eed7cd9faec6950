"""The tattoo in the guests of our users' VMs, by managed run command and machine configuration.

Nothing is ever run there but the script of `tattoo_reader`. The run command has one name in every
VM, so that whoever comes later finds it and removes it: Azure keeps at most 25 of them in a VM
(https://learn.microsoft.com/azure/virtual-machines/linux/run-command-managed).
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from azure.core.exceptions import HttpResponseError

from shared.domain.identifiers import normalise_id, parse_resource_id
from shared.domain.image_definition import OperatingSystem
from shared.domain.tattoo_reader import TIMEOUT_SECONDS, tattoo_reader
from shared.domain.tattoo_reading import CONFIGURATION
from shared.errors import NotFoundError, RefusedError
from shared.gateways.clients import AzureClients
from shared.gateways.errors import code_and_message, found, translated
from shared.gateways.graph_query import graph_query
from shared.gateways.machines import command_body, read_command
from shared.ports import ConfigurationReport, GuestCommand

if TYPE_CHECKING:
    from azure.mgmt.compute.models import VirtualMachineRunCommand
    from azure.mgmt.compute.types import VirtualMachineRunCommand as CommandBody

COMMAND = "assay-read-tattoo"
_STARTED_TAG = "assay-started-at"
_INSTANCE = "microsoft.compute/virtualmachinescalesets/virtualmachines"
_QUERY = (
    "GuestConfigurationResources"
    " | where type =~ 'microsoft.guestconfiguration/guestconfigurationassignments'"
    f" | where name =~ '{CONFIGURATION}'"
    " | where properties.targetResourceId =~ '{vm}'"
    " | project id, checked = properties.lastComplianceStatusChecked,"
    " report = properties.latestAssignmentReport"
    " | limit 1"
)


class GuestTattoosGateway:
    """VMs and scale-set instances in every subscription where we have the right."""

    def __init__(self, clients: AzureClients) -> None:
        self._clients = clients

    async def start(
        self, resource_id: str, *, os: OperatingSystem, region: str, now: datetime
    ) -> None:
        """Have the guest print its tattoo.

        Raises NotFoundError when the VM does not exist, and RefusedError or NotReadyError when it
        takes no run command: it is not running, is locked, or we have no right to.
        """
        body = command_body(tattoo_reader(os), TIMEOUT_SECONDS, region)
        body["tags"] = {_STARTED_TAG: now.astimezone(UTC).isoformat()}
        with _guest_permitting(f"read the tattoo in {resource_id}"):
            await self._commands(resource_id).create(body)

    async def result(self, resource_id: str) -> GuestCommand | None:
        """Read the run command; None when there is none."""
        doing = f"read the run command {COMMAND} of {resource_id}"
        command = await found(self._commands(resource_id).get(), doing)
        if command is None:
            return None
        asked = (command.tags or {}).get(_STARTED_TAG, "")
        return GuestCommand(started_at=_moment(asked), status=read_command(command))

    async def remove(self, resource_id: str) -> None:
        """Ask for the run command's deletion; no error when it, or the VM, is gone."""
        with (
            suppress(NotFoundError),
            _guest_permitting(f"remove the run command {COMMAND} of {resource_id}"),
        ):
            await self._commands(resource_id).delete()

    async def machine_configuration(self, resource_id: str) -> ConfigurationReport | None:
        """Read the last report on the tattoo of a VM; None when there is none."""
        query = graph_query(
            _QUERY.replace("{vm}", normalise_id(resource_id).replace("'", "\\'")),
            subscriptions=[parse_resource_id(resource_id).subscription_id],
        )
        with translated(f"read the machine configuration of {resource_id}"):
            answer = await self._clients.resource_graph().resources(query)
        rows = cast("list[Mapping[str, Any]]", answer.data)
        return _report(rows[0]) if rows else None

    def _commands(self, resource_id: str) -> "_RunCommands":
        vm = parse_resource_id(resource_id)
        compute = self._clients.compute(vm.subscription_id)
        if vm.type == _INSTANCE:
            of_instances = compute.virtual_machine_scale_set_vm_run_commands
            where = (vm.resource_group, *vm.names, COMMAND)
            return _RunCommands(where, of_instances.get, of_instances)
        of_vms = compute.virtual_machine_run_commands
        where = (vm.resource_group, vm.name, COMMAND)
        return _RunCommands(where, of_vms.get_by_virtual_machine, of_vms)


@dataclass(frozen=True, slots=True)
class _RunCommands:
    """Our run command in one machine: VMs and instances have the same operations for it."""

    where: tuple[str, ...]
    getter: Callable[..., Awaitable["VirtualMachineRunCommand"]]
    operations: Any

    def get(self) -> Awaitable["VirtualMachineRunCommand"]:
        return self.getter(*self.where, expand="instanceView")

    async def create(self, body: "CommandBody") -> None:
        await self.operations.begin_create_or_update(*self.where, body, polling=False)

    async def delete(self) -> None:
        await self.operations.begin_delete(*self.where, polling=False)


@contextmanager
def _guest_permitting(doing: str) -> Iterator[None]:
    """As `translated`, but what only the VM's owner can change is refused, not waited for.

    `OperationNotAllowed` tells of a VM that is not running, not of a busy one.
    """
    with translated(doing):
        try:
            yield
        except HttpResponseError as error:
            code, message = code_and_message(error)
            if code == "OperationNotAllowed":
                raise RefusedError(f"Azure did not {doing}: {message}") from error
            if code == "ParentResourceNotFound":
                raise NotFoundError(f"Azure did not {doing}: {message}") from error
            raise


def _report(row: Mapping[str, Any]) -> ConfigurationReport | None:
    """Return what a row says; None before the first report."""
    checked_at = _moment(str(row.get("checked") or ""))
    report = row.get("report")
    if checked_at is None or not isinstance(report, Mapping):
        return None
    reasons = [
        (str(reason.get("code") or ""), str(reason.get("phrase") or ""))
        for resource in report.get("resources") or []
        for reason in resource.get("reasons") or []
    ]
    return ConfigurationReport(checked_at=checked_at, reasons=tuple(reasons))


def _moment(text: str) -> datetime | None:
    """Read a time with its zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
