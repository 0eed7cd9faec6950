"""The two fleets the contract is held against, and a Resource Manager of canned answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from aiohttp import web
from aiohttp.test_utils import TestServer

from shared import ports
from shared.domain.identifiers import normalise_id
from shared.domain.vm_record import Boot, Image, LineageSource, Machine
from shared.gateways.clients import AzureClients
from shared.gateways.fleet import FleetGateway
from tests.arm_plugin import FixedToken
from tests.contract.gateways import things
from tests.fakes.fleet import FakeFleet, model_facts, vm_facts

URN = things.JAMMY.urn
VERSION = things.SOURCE_VERSION
GROUP = "rg-web"
REFERENCE = {
    "publisher": things.JAMMY.publisher,
    "offer": things.JAMMY.offer,
    "sku": things.JAMMY.sku,
    "version": VERSION,
}
IMAGE = Image(image_id=URN, version=VERSION, source=LineageSource.IMAGE_REFERENCE)


class FleetCloud(Protocol):
    """A port of the fleet, and what a test may have happen to the VMs."""

    @property
    def fleet(self) -> ports.Fleet: ...

    async def make_vm(self, name: str, tags: dict[str, str]) -> str: ...

    async def make_scale_set(self, name: str, mode: str, capacity: int) -> str: ...

    async def remove(self, resource_id: str) -> None: ...


class MemoryFleet:
    """The fake."""

    def __init__(self, subscription: str) -> None:
        self.fleet = FakeFleet()
        self._compute = normalise_id(
            f"/subscriptions/{subscription}/resourceGroups/{GROUP}/providers/Microsoft.Compute"
        )

    async def make_vm(self, name: str, tags: dict[str, str]) -> str:
        return self._put(
            name,
            f"virtualmachines/{name}",
            tags={k.lower(): v for k, v in tags.items()},
            created_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        )

    async def make_scale_set(self, name: str, mode: str, capacity: int) -> str:
        scale_set = f"{self._compute}/virtualmachinescalesets/{name}"
        first = vm_facts(f"{name}_0", image=IMAGE, tags={"team": "web"})
        model = model_facts(scale_set, first, version=IMAGE.version)
        self.fleet.put_scale_set(replace(model, capacity=capacity))
        for number in range(capacity):
            member, path = f"{name}_{number}", f"virtualmachines/{name}_{number}"
            if mode == "Uniform":
                path = f"virtualmachinescalesets/{name}/virtualmachines/{number}"
            machine = Machine.UNIFORM if mode == "Uniform" else Machine.FLEXIBLE
            self._put(member, path, tags={"team": "web"}, scale_set_id=scale_set, machine=machine)
        return scale_set

    async def remove(self, resource_id: str) -> None:
        self.fleet.remove(resource_id)

    def _put(self, name: str, path: str, **more: Any) -> str:
        resource_id = f"{self._compute}/{path}"
        boot = Boot(
            reference=f"{IMAGE.image_id}@{IMAGE.version}",
            os_disk_id=f"{self._compute}/disks/{name.lower()}_os",
        )
        facts = vm_facts(name, resource_id=resource_id, image=IMAGE, boot=boot, **more)
        return self.fleet.put(facts)


class SimulatedFleet:
    """The real gateway and SDK against the simulated Resource Manager."""

    def __init__(self, clients: AzureClients) -> None:
        self.fleet = FleetGateway(clients)
        self._compute = clients.compute()

    async def make_vm(self, name: str, tags: dict[str, str]) -> str:
        body = {
            "location": "West Europe",
            "tags": tags,
            "properties": {
                "storageProfile": {"imageReference": REFERENCE},
                "osProfile": {"computerName": name, "adminUsername": "azureuser"},
            },
        }
        machines = self._compute.virtual_machines
        made = await (await machines.begin_create_or_update(
            GROUP, name, body, polling_interval=0  # type: ignore[call-overload]
        )).result()  # fmt: skip
        return str(made.id)

    async def make_scale_set(self, name: str, mode: str, capacity: int) -> str:
        body = {
            "location": "westeurope",
            "tags": {"Team": "web"},
            "sku": {"name": "Standard_D2s_v5", "capacity": capacity},
            "properties": {
                "orchestrationMode": mode,
                "virtualMachineProfile": {
                    "storageProfile": {"imageReference": REFERENCE},
                    "osProfile": {"computerNamePrefix": name, "adminUsername": "azureuser"},
                },
            },
        }
        scale_sets = self._compute.virtual_machine_scale_sets
        made = await (await scale_sets.begin_create_or_update(
            GROUP, name, body, polling_interval=0  # type: ignore[call-overload]
        )).result()  # fmt: skip
        return str(made.id)

    async def remove(self, resource_id: str) -> None:
        name = resource_id.rsplit("/", 1)[-1]
        if "/virtualmachinescalesets/" in normalise_id(resource_id):
            scale_sets = self._compute.virtual_machine_scale_sets
            await (await scale_sets.begin_delete(GROUP, name, polling_interval=0)).result()
        else:
            machines = self._compute.virtual_machines
            await (await machines.begin_delete(GROUP, name, polling_interval=0)).result()


class CannedArm:
    """Answers GET with the resource held under the path, whatever its case; 404 for the rest."""

    def __init__(self) -> None:
        self.resources: dict[str, Any] = {}
        self.refused: dict[str, tuple[int, str]] = {}
        """Status and error code by normalised id."""
        self.reads: list[str] = []

    def put(self, resource: dict[str, Any]) -> str:
        """Hold a resource as recorded; return its normalised id."""
        resource_id = normalise_id(resource["id"])
        self.resources[resource_id] = resource
        return resource_id

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[FleetGateway]:
        """Serve, and yield the real gateway pointed here."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        async with TestServer(app, host="127.0.0.1") as server:
            address = str(server.make_url("")).rstrip("/")
            settings = things.settings(
                arm=address, subscription="00000000-0000-0000-0000-000000000000", topic=address
            )
            clients = AzureClients(settings, FixedToken(), retries=0)
            try:
                yield FleetGateway(clients)
            finally:
                await clients.close()

    async def _answer(self, request: web.Request) -> web.Response:
        path = normalise_id(request.path)
        self.reads.append(path.rsplit("/providers/microsoft.compute/", 1)[-1])
        if path in self.refused:
            status, code = self.refused[path]
            return web.json_response({"error": {"code": code, "message": code}}, status=status)
        if path not in self.resources:
            error = {"code": "ResourceNotFound", "message": f"{path} was not found"}
            return web.json_response({"error": error}, status=404)
        return web.json_response(self.resources[path])
