"""The VMs candidates are booted in, each for one verification; nothing here waits for Azure."""

from azure.core.exceptions import ResourceNotFoundError

from shared.domain.image_definition import ImageDefinition, MarketplaceSource
from shared.errors import RefusedError
from shared.gateways.clients import AzureClients
from shared.gateways.errors import found, translated
from shared.gateways.gallery import gallery_image_id
from shared.gateways.machines import command_body, machine_body, read_command, read_machine
from shared.ports import MachineStatus, RunCommandStatus
from shared.settings import Settings


class VerificationVmsGateway:
    """Verification VMs in our resource group."""

    def __init__(self, clients: AzureClients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._group = settings.resource_group

    async def create(
        self, vm_name: str, definition: ImageDefinition, version: str, *, build_id: str
    ) -> None:
        """Ask for a VM of the image version; no error when it exists already."""
        version_id = f"{gallery_image_id(self._settings, definition)}/versions/{version}"
        await self._create(vm_name, definition, {"id": version_id}, build_id)

    async def create_from_source(
        self, vm_name: str, definition: ImageDefinition, source_version: str, *, build_id: str
    ) -> None:
        """Ask for a VM of the bare Marketplace version; no error when it exists already.

        Raises RefusedError for a definition that is built from another golden image.
        """
        source = definition.source
        if not isinstance(source, MarketplaceSource):
            raise RefusedError(
                f"{definition.name} is built from golden image {source.image}, which was verified "
                "when it was released; take verify.source out of its definition"
            )
        reference = {
            "publisher": source.publisher,
            "offer": source.offer,
            "sku": source.sku,
            "version": source_version,
        }
        await self._create(vm_name, definition, reference, build_id)

    async def _create(
        self,
        vm_name: str,
        definition: ImageDefinition,
        image: dict[str, str],
        build_id: str,
    ) -> None:
        machines = self._clients.compute().virtual_machines
        if await found(machines.get(self._group, vm_name), f"read VM {vm_name}"):
            return
        body = machine_body(definition, image, build_id, self._settings)
        with translated(f"create VM {vm_name} from {' '.join(image.values())}"):
            await machines.begin_create_or_update(self._group, vm_name, body, polling=False)

    async def status(self, vm_name: str) -> MachineStatus | None:
        """Read the VM; None when it does not exist."""
        machines = self._clients.compute().virtual_machines
        call = machines.get(self._group, vm_name, expand="instanceView")
        vm = await found(call, f"read VM {vm_name}")
        return read_machine(vm) if vm else None

    async def start_command(
        self, vm_name: str, name: str, script: str, definition: ImageDefinition,
        *, timeout_seconds: int,
    ) -> None:  # fmt: skip
        """Run *script* in the guest under *name*; no second run when it was started before.

        Raises NotFoundError when the VM does not exist.
        """
        commands = self._clients.compute().virtual_machine_run_commands
        doing = f"run {name} (of {definition.name}) in VM {vm_name}"
        if await found(commands.get_by_virtual_machine(self._group, vm_name, name), doing):
            return
        body = command_body(script, timeout_seconds, self._settings.location)
        with translated(doing):
            await commands.begin_create_or_update(self._group, vm_name, name, body, polling=False)

    async def command_status(self, vm_name: str, name: str) -> RunCommandStatus | None:
        """Read a run command; None when it was never started."""
        commands = self._clients.compute().virtual_machine_run_commands
        call = commands.get_by_virtual_machine(self._group, vm_name, name, expand="instanceView")
        command = await found(call, f"read run command {name} of VM {vm_name}")
        return read_command(command) if command else None

    async def delete(self, vm_name: str) -> None:
        """Ask for the VM's deletion, disk and network interface too; no error when it is gone."""
        with translated(f"delete VM {vm_name}"):
            try:
                await self._clients.compute().virtual_machines.begin_delete(
                    self._group, vm_name, force_deletion=True, polling=False
                )
            except ResourceNotFoundError:
                return
