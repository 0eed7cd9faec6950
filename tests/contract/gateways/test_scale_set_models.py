"""Which scale sets make their instances from an image: the gateway against simulated Azure."""

import pytest

from localcloud.arm import ArmSimulator
from shared.domain.identifiers import normalise_id
from shared.gateways.clients import AzureClients
from shared.gateways.fleet import FleetGateway
from shared.ports import ScaleSetModel
from shared.settings import Settings
from tests.contract.gateways.clouds import SimulatedCloud
from tests.contract.gateways.fleets import GROUP, SimulatedFleet
from tests.contract.gateways.looks import built, replicated
from tests.contract.gateways.things import VERSION
from tests.fakes.fleet import FakeFleet


async def scale_set(clients: AzureClients, name: str, image: str) -> str:
    """Make a scale set of no instances from *image*, as after it was scaled in."""
    body = {
        "location": "westeurope",
        "sku": {"name": "Standard_D2s_v5", "capacity": 0},
        "properties": {
            "orchestrationMode": "Uniform",
            "virtualMachineProfile": {
                "storageProfile": {"imageReference": {"id": image}},
                "osProfile": {"computerNamePrefix": name, "adminUsername": "azureuser"},
            },
        },
    }
    scale_sets = clients.compute().virtual_machine_scale_sets
    made = await (await scale_sets.begin_create_or_update(
        GROUP, name, body, polling_interval=0  # type: ignore[call-overload]
    )).result()  # fmt: skip
    return normalise_id(str(made.id))


async def test_models_name_a_version_or_the_latest(
    arm: ArmSimulator, clients: AzureClients, settings: Settings
) -> None:
    cloud = SimulatedCloud(arm, clients, settings)
    image_id, version = await built(cloud)
    await replicated(cloud, (image_id, version))
    fleet = FleetGateway(clients)
    assert await fleet.scale_set_models(image_id) == []

    pinned = await scale_set(clients, "pinned", f"{image_id}/versions/{VERSION}")
    await SimulatedFleet(clients).make_scale_set("other", "Uniform", 1)

    assert await fleet.scale_set_models(image_id) == [
        ScaleSetModel(resource_id=pinned, version=VERSION)
    ]
    assert await fleet.scale_set_models(image_id.upper()) != []


@pytest.mark.parametrize("version", ["", "1.1.1"])
async def test_the_fake_answers_by_the_image_too(version: str) -> None:
    fleet, model = FakeFleet(), ScaleSetModel(resource_id="/vmss", version=version)
    fleet.models["/image"] = [model]

    assert await fleet.scale_set_models("/Image") == [model]
    assert await fleet.scale_set_models("/other") == []
