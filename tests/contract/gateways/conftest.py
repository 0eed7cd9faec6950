"""The clouds, and clients of the real SDKs."""

from collections.abc import AsyncIterator

import pytest
from azure.mgmt.compute.models import Gallery

from localcloud.arm import ArmSimulator
from shared.gateways.clients import AzureClients, credential
from shared.settings import Settings
from tests.contract.gateways import things
from tests.contract.gateways.clouds import Cloud, MemoryCloud, SimulatedCloud


@pytest.fixture
def settings(arm: ArmSimulator) -> Settings:
    return things.settings(
        arm=arm.base_url, subscription=arm.subscription_id, topic=arm.topic_endpoint()
    )


@pytest.fixture
async def clients(
    arm: ArmSimulator, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AzureClients]:
    """Real clients with a managed identity's token, and a gallery to work in."""
    for name, value in arm.identity_environment().items():
        monkeypatch.setenv(name, value)
    identity = credential(settings)
    clients = AzureClients(settings, identity, retries=0)
    await clients.compute().galleries.begin_create_or_update(
        settings.resource_group,
        settings.gallery,
        Gallery(location=settings.location),
        polling=False,
    )
    yield clients
    await clients.close()
    await identity.close()


@pytest.fixture(params=["fakes", "simulated Azure"])
def cloud(
    request: pytest.FixtureRequest, arm: ArmSimulator, clients: AzureClients, settings: Settings
) -> Cloud:
    if request.param == "fakes":
        return MemoryCloud()
    return SimulatedCloud(arm, clients, settings)
