"""What the reading of tattoos may rely on, in memory and against the simulated Azure."""

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from localcloud.arm import ArmSimulator
from localcloud.arm.control_guests import guest_of
from localcloud.arm.faults import HttpFault
from localcloud.arm.guest_configuration import GuestAssignment, Reason
from shared import ports
from shared.domain.identifiers import normalise_id
from shared.domain.image_definition import OperatingSystem
from shared.errors import NotFoundError, NotReadyError, RefusedError, UnavailableError
from shared.gateways.clients import AzureClients
from shared.gateways.guest_tattoos import GuestTattoosGateway
from shared.ports import ConfigurationReport, GuestCommand
from tests.contract.gateways.fleets import GROUP, SimulatedFleet
from tests.contract.gateways.looks import until
from tests.fakes.guest_tattoos import FakeGuestTattoos

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEXT = "definition=ubuntu\nversion=1.0.2\n"
PATH = "/etc/assay/tattoo"
KINDS = ["a VM", "an instance of a scale set"]


class Guests(Protocol):
    """The port, and what a test may have happen to the VMs."""

    @property
    def tattoos(self) -> ports.GuestTattoos: ...

    async def make(self, kind: str, tattoo: str | None) -> str: ...

    async def switch_off(self, vm: str) -> None: ...

    def report(self, vm: str, status: str, *reasons: tuple[str, str]) -> None: ...


class MemoryGuests:
    """The fake."""

    def __init__(self, subscription: str) -> None:
        self.tattoos = FakeGuestTattoos()
        self._group = f"/subscriptions/{subscription}/resourcegroups/{GROUP}"

    async def make(self, kind: str, tattoo: str | None) -> str:
        path = "virtualmachines/web-1" if kind == "a VM" else (
            "virtualmachinescalesets/api/virtualmachines/0"
        )  # fmt: skip
        vm = f"{self._group}/providers/microsoft.compute/{path}"
        self.tattoos.put(vm, tattoo)
        return vm

    async def switch_off(self, vm: str) -> None:
        self.tattoos.off.add(vm)

    def report(self, vm: str, status: str, *reasons: tuple[str, str]) -> None:
        if status != "Pending":
            self.tattoos.reports[vm] = ConfigurationReport(
                checked_at=datetime.now(UTC), reasons=reasons
            )


class SimulatedGuests:
    """The real gateway and SDKs against the simulated Resource Manager."""

    def __init__(self, arm: ArmSimulator, clients: AzureClients) -> None:
        self.tattoos = GuestTattoosGateway(clients)
        self._arm = arm
        self._fleet = SimulatedFleet(clients)
        self._compute = clients.compute()

    async def make(self, kind: str, tattoo: str | None) -> str:
        if kind == "a VM":
            vm = await self._fleet.make_vm("web-1", {})
        else:
            vm = f"{await self._fleet.make_scale_set('api', 'Uniform', 1)}/virtualMachines/0"
        if tattoo is not None:
            guest_of(self._arm.cloud, vm).files[PATH] = tattoo
        return normalise_id(vm)

    async def switch_off(self, vm: str) -> None:
        del vm
        await (await self._compute.virtual_machines.begin_deallocate(GROUP, "web-1")).result()

    def report(self, vm: str, status: Any, *reasons: tuple[str, str]) -> None:
        self._arm.cloud.guest_configuration.put(
            GuestAssignment(
                resource_id=vm,
                name="AssayTattoo",
                status=status,
                reasons=[Reason(code=code, phrase=phrase) for code, phrase in reasons],
            )
        )


@pytest.fixture(params=["fakes", "simulated Azure"])
def guests(request: pytest.FixtureRequest, arm: ArmSimulator, clients: AzureClients) -> Guests:
    if request.param == "fakes":
        return MemoryGuests(arm.subscription_id)
    return SimulatedGuests(arm, clients)


async def start(guests: Guests, vm: str, now: datetime = NOON) -> None:
    await guests.tattoos.start(vm, os=OperatingSystem.LINUX, region="westeurope", now=now)


async def ended(guests: Guests, vm: str) -> GuestCommand:
    return await until(lambda: guests.tattoos.result(vm), lambda c: c.status.finished)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_guest_prints_its_tattoo(guests: Guests, kind: str) -> None:
    vm = await guests.make(kind, TEXT)

    await start(guests, vm)

    done = await ended(guests, vm)
    assert done.started_at == NOON
    assert (done.status.exit_code, done.status.output, done.status.failure) == (0, TEXT, "")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_guest_without_a_tattoo_says_so(guests: Guests, kind: str) -> None:
    vm = await guests.make(kind, None)

    await start(guests, vm)

    status = (await ended(guests, vm)).status
    assert status.exit_code == 1
    assert "No such file" in status.error


@pytest.mark.parametrize("kind", KINDS)
async def test_a_removed_command_is_gone_and_may_be_removed_again(
    guests: Guests, kind: str
) -> None:
    vm = await guests.make(kind, TEXT)
    assert await guests.tattoos.result(vm) is None
    await start(guests, vm)

    for _ in range(2):
        await guests.tattoos.remove(vm)

    assert await guests.tattoos.result(vm) is None
    await start(guests, vm, NOON + timedelta(hours=1))
    assert (await ended(guests, vm)).started_at == NOON + timedelta(hours=1)


async def test_a_vm_that_is_off_refuses(guests: Guests) -> None:
    vm = await guests.make("a VM", TEXT)
    await guests.switch_off(vm)

    with pytest.raises(RefusedError, match="not running"):
        await start(guests, vm)
    assert await guests.tattoos.result(vm) is None


async def test_a_vm_that_is_not_there_is_not_found(guests: Guests) -> None:
    vm = (await guests.make("a VM", TEXT)).replace("web-1", "web-9")

    with pytest.raises(NotFoundError):
        await start(guests, vm)
    assert await guests.tattoos.result(vm) is None
    await guests.tattoos.remove(vm)


async def test_what_machine_configuration_reported_is_told_with_its_reasons(
    guests: Guests,
) -> None:
    vm = await guests.make("a VM", TEXT)
    assert await guests.tattoos.machine_configuration(vm) is None
    guests.report(vm, "Pending")
    assert await guests.tattoos.machine_configuration(vm) is None

    guests.report(vm, "NonCompliant", ("AssayTattoo:AssayTattoo:Tattoo", "version=1.0.2"))

    report = await guests.tattoos.machine_configuration(vm)
    assert report
    assert report.reasons == (("AssayTattoo:AssayTattoo:Tattoo", "version=1.0.2"),)
    assert abs(report.checked_at - datetime.now(UTC)) < timedelta(minutes=1)


# --- the real one alone ---------------------------------------------------------------------------


@pytest.fixture
async def azure(arm: ArmSimulator, clients: AzureClients) -> SimulatedGuests:
    return SimulatedGuests(arm, clients)


@pytest.mark.parametrize("os", list(OperatingSystem))
async def test_nothing_but_the_reader_is_run_in_the_guest(
    arm: ArmSimulator, azure: SimulatedGuests, os: OperatingSystem
) -> None:
    vm = await azure.make("a VM", TEXT)

    await azure.tattoos.start(vm, os=os, region="westeurope", now=NOON)

    [sent] = [
        e.request_body
        for e in arm.cloud.traffic
        if e.operation == "VirtualMachineRunCommands_CreateOrUpdate"
    ]
    script = sent["properties"].pop("source")["script"]
    assert sent == {
        "location": "westeurope",
        "tags": {"assay-started-at": "2026-11-22T12:00:00+00:00"},
        "properties": {"asyncExecution": True, "timeoutInSeconds": 120},
    }
    if os is OperatingSystem.LINUX:
        assert script == "cat /etc/assay/tattoo\n"
    else:
        assert "Get-ItemProperty -Path 'HKLM:\\SOFTWARE\\Assay\\Tattoo'" in script


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (409, "OperationNotAllowed", RefusedError),
        (409, "ScopeLocked", RefusedError),
        (409, "Conflict", UnavailableError),
        (403, "AuthorizationFailed", NotReadyError),
        (404, "ParentResourceNotFound", NotFoundError),
    ],
)
async def test_what_azure_answers_tells_whether_to_wait(
    arm: ArmSimulator, azure: SimulatedGuests, status: int, code: str, error: type[Exception]
) -> None:
    vm = await azure.make("a VM", TEXT)
    arm.add_fault(HttpFault(operation="RunCommands_Create", status=status, code=code))

    with pytest.raises(error):
        await start(azure, vm)


async def test_a_command_of_that_name_that_is_not_ours_has_no_time(
    azure: SimulatedGuests, clients: AzureClients
) -> None:
    vm = await azure.make("a VM", TEXT)
    body = {"location": "westeurope", "properties": {"source": {"script": "cat /etc/motd\n"}}}
    commands = clients.compute().virtual_machine_run_commands
    await (
        await commands.begin_create_or_update(
            GROUP, "web-1", "assay-read-tattoo", body  # type: ignore[call-overload]
        )
    ).result()  # fmt: skip

    found = await azure.tattoos.result(vm)

    assert found
    assert found.started_at is None
