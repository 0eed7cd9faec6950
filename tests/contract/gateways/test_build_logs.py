"""Build logs: found in the staging group, copied to our account, whatever account that is."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from azure.storage.blob.aio import BlobServiceClient

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import HttpFault
from localcloud.azurite import Azurite
from shared import ports
from shared.errors import NotFoundError, NotReadyError, RefusedError, UnavailableError
from shared.gateways.build_logs import BuildLogsGateway
from shared.gateways.clients import AzureClients, credential
from shared.settings import Settings, Storage
from tests.contract.gateways import looks
from tests.contract.gateways.clouds import SimulatedCloud
from tests.fakes.build_logs import FakeBuildLogs


class Logs:
    """A build that ran, where its logs are, and what became of the copies."""

    port: ports.BuildLogs
    group: str

    async def copies(self) -> dict[str, bytes]:
        raise NotImplementedError


class FakeLogs(Logs):
    def __init__(self) -> None:
        fake = FakeBuildLogs()
        self.group = "/subscriptions/s/resourceGroups/IT_a1"
        fake.staged[self.group.lower()] = {"g/customization.log": b"PACKER OUT run Succeeded\n"}
        self.port = self.fake = fake

    async def copies(self) -> dict[str, bytes]:
        return self.fake.copied


class SimulatedLogs(Logs):
    def __init__(self, port: BuildLogsGateway, group: str, ours: BlobServiceClient) -> None:
        self.port, self.group, self._ours = port, group, ours

    async def copies(self) -> dict[str, bytes]:
        container = self._ours.get_container_client("build-logs")
        return {
            name: await (await container.download_blob(name)).readall()
            async for name in container.list_blob_names()
        }


@pytest.fixture
async def gateway(
    arm: ArmSimulator, clients: AzureClients, settings: Settings, azurite: Azurite
) -> AsyncIterator[BuildLogsGateway]:
    identity = credential(settings)
    storage = replace(settings.storage, connection_string=azurite.connection_string)
    gateway = BuildLogsGateway(clients, replace(settings, storage=storage), identity)
    yield gateway
    await gateway.close()
    await identity.close()


@pytest.fixture
async def ran(arm: ArmSimulator, clients: AzureClients, settings: Settings) -> str:
    """Let a template run to its end; return its staging group."""
    cloud = SimulatedCloud(arm, clients, settings)
    status = await looks.ran(cloud)
    assert "/resourceGroups/IT_" in status.staging_group
    return status.staging_group


@pytest.fixture(params=["fakes", "simulated Azure"])
async def logs(
    request: pytest.FixtureRequest, gateway: BuildLogsGateway, ran: str, azurite: Azurite
) -> AsyncIterator[Logs]:
    if request.param == "fakes":
        yield FakeLogs()
        return
    async with BlobServiceClient.from_connection_string(azurite.connection_string) as ours:
        yield SimulatedLogs(gateway, ran, ours)


async def test_the_logs_of_a_run_are_copied_into_the_folder(logs: Logs) -> None:
    copied = await logs.port.copy(logs.group, "build-x/1")

    assert len(copied.files) == 1
    assert copied.files[0].endswith("/customization.log")
    assert copied.location.endswith("/build-logs/build-x/1")
    content = (await logs.copies())[f"build-x/1/{copied.files[0]}"]
    assert b"PACKER OUT run Succeeded" in content


async def test_copying_again_writes_the_same_files(logs: Logs) -> None:
    first = await logs.port.copy(logs.group, "build-y/1")
    again = await logs.port.copy(logs.group, "build-y/1")

    assert first == again
    assert len([name for name in await logs.copies() if name.startswith("build-y/1/")]) == 1


async def test_a_group_without_logs_is_said(logs: Logs) -> None:
    elsewhere = logs.group.rpartition("/")[0] + "/IT_none"
    with pytest.raises(NotFoundError, match="there are no build logs"):
        await logs.port.copy(elsewhere, "b/1")


async def test_without_an_account_there_is_nowhere_to_put_them(
    clients: AzureClients, settings: Settings, ran: str
) -> None:
    identity = credential(settings)
    bare = replace(settings, storage=Storage())
    with pytest.raises(RefusedError, match="AzureWebJobsStorage__blobServiceUri"):
        await BuildLogsGateway(clients, bare, identity).copy(ran, "b/1")
    await identity.close()


@pytest.mark.parametrize(("status", "error"), [(403, NotReadyError), (500, UnavailableError)])
async def test_an_account_list_azure_refuses_is_told_by_what_to_do(
    arm: ArmSimulator, gateway: BuildLogsGateway, ran: str, status: int, error: type[Exception]
) -> None:
    arm.add_fault(
        HttpFault(operation="StorageAccounts_List", status=status, code="AuthorizationFailed")
    )
    with pytest.raises(error, match="list the storage accounts"):
        await gateway.copy(ran, "b/1")
