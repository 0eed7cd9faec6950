"""Scale sets under change: by a client, and by the platform, of which no event tells."""

from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute.aio import ComputeManagementClient

from localcloud.arm import ArmSimulator
from localcloud.arm.errors import SimulatorStateError
from localcloud.arm.scale_set_upgrades import autoscale, upgrade_by_platform
from tests.contract.arm.disks import reference_of
from tests.contract.arm.requests import GROUP, IMAGE, instances, scale_set, version

_SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/set"


async def _version(compute: ComputeManagementClient, number: str) -> None:
    await compute.gallery_image_versions.begin_create_or_update("rg", "g", "i", number, version())


async def _make(compute: ComputeManagementClient, body: Any) -> None:
    sets = compute.virtual_machine_scale_sets
    await (await sets.begin_create_or_update("rg", "set", body)).result()


async def _choose(compute: ComputeManagementClient, image: str) -> None:
    storage = {"imageReference": {"id": image}}
    change: Any = {"properties": {"virtualMachineProfile": {"storageProfile": storage}}}
    await (await compute.virtual_machine_scale_sets.begin_update("rg", "set", change)).result()


async def _upgrade(compute: ComputeManagementClient, *numbers: str) -> None:
    sets = compute.virtual_machine_scale_sets
    await (await sets.begin_update_instances("rg", "set", instances(*numbers))).result()


async def _instances(compute: ComputeManagementClient, mode: str) -> list[Any]:
    if mode == "Uniform":
        return [each async for each in compute.virtual_machine_scale_set_vms.list("rg", "set")]
    return [each async for each in compute.virtual_machines.list("rg")]


async def _run(compute: ComputeManagementClient, mode: str) -> list[str]:
    return [reference_of(each)["exactVersion"] for each in await _instances(compute, mode)]


async def _lasting(compute: ComputeManagementClient, mode: str) -> list[tuple[str, str, str]]:
    """What an upgrade leaves alone."""
    return [
        (each.id, each["properties"]["vmId"], each["properties"]["timeCreated"])
        for each in await _instances(compute, mode)
    ]


@pytest.mark.usefixtures("gallery")
@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
async def test_a_new_image_in_the_model_reaches_instances_by_manual_upgrade(
    arm: ArmSimulator, compute: ComputeManagementClient, mode: str
) -> None:
    await _version(compute, "1.0.0")
    await _version(compute, "1.1.0")
    await _make(compute, scale_set(f"{IMAGE}/versions/1.0.0", mode=mode))
    before = await _lasting(compute, mode)

    await _choose(compute, f"{IMAGE}/versions/1.1.0")
    chosen = await _run(compute, mode)
    seen = len(arm.cloud.events.log)
    first = (await _instances(compute, mode))[0]
    number = first["instanceId"] if mode == "Uniform" else first.name
    await _upgrade(compute, str(number))
    one = await _run(compute, mode)
    await _upgrade(compute, "*")

    assert (chosen, one) == (["1.0.0", "1.0.0"], ["1.1.0", "1.0.0"])
    assert await _run(compute, mode) == ["1.1.0", "1.1.0"]
    assert await _lasting(compute, mode) == before
    assert len([disk async for disk in compute.disks.list_by_resource_group("rg")]) == 2
    told = {(e.subject, e.data["operationName"]) for e in list(arm.cloud.events.log)[seen:]}
    assert told == {(_SET, "Microsoft.Compute/virtualMachineScaleSets/manualupgrade/action")}


@pytest.mark.usefixtures("gallery")
async def test_an_instance_that_is_not_there_cannot_be_upgraded(
    compute: ComputeManagementClient,
) -> None:
    await _version(compute, "1.0.0")
    await _make(compute, scale_set())

    with pytest.raises(HttpResponseError, match="instanceId 7 is not an active"):
        await _upgrade(compute, "0", "7")
    with pytest.raises(HttpResponseError, match="'instanceIds' is missing"):
        await _upgrade(compute)


@pytest.mark.usefixtures("gallery")
@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
async def test_the_platform_upgrades_instances_without_an_event(
    arm: ArmSimulator, compute: ComputeManagementClient, mode: str
) -> None:
    await _version(compute, "1.0.0")
    await _make(compute, scale_set(mode=mode))
    before = await _lasting(compute, mode)
    await _version(compute, "1.1.0")
    seen = len(arm.cloud.events.log)

    async with aiohttp.ClientSession(arm.base_url) as session:
        upgraded = []
        for _ in range(2):
            async with session.post("/_sim/scale-sets/upgrade", json={"id": _SET}) as response:
                upgraded.append(await response.json())

    assert upgraded == [{"upgraded": 2}, {"upgraded": 0}]
    assert await _run(compute, mode) == ["1.1.0", "1.1.0"]
    assert await _lasting(compute, mode) == before
    assert len(arm.cloud.events.log) == seen


@pytest.mark.usefixtures("gallery")
@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
async def test_autoscale_changes_the_number_of_instances_without_an_event(
    arm: ArmSimulator, compute: ComputeManagementClient, mode: str
) -> None:
    await _version(compute, "1.0.0")
    await _make(compute, scale_set(mode=mode))
    seen = len(arm.cloud.events.log)

    numbers = []
    async with aiohttp.ClientSession(arm.base_url) as session:
        for capacity in (4, 1):
            body = {"id": _SET, "capacity": capacity}
            async with session.post("/_sim/scale-sets/autoscale", json=body) as response:
                assert response.status == 200
            numbers.append(len(await _instances(compute, mode)))

    assert numbers == [4, 1]
    made = await compute.virtual_machine_scale_sets.get("rg", "set")
    assert made["sku"]["capacity"] == 1
    assert len(arm.cloud.events.log) == seen


@pytest.mark.usefixtures("gallery")
async def test_the_platform_moves_only_scale_sets_it_knows_and_can_feed(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    await _version(compute, "1.0.0")
    await _make(compute, scale_set())
    await (await compute.gallery_image_versions.begin_delete("rg", "g", "i", "1.0.0")).result()

    with pytest.raises(SimulatorStateError, match="There is no scale set"):
        upgrade_by_platform(arm.cloud, f"{_SET}-other")
    with pytest.raises(SimulatorStateError, match="did not scale"):
        autoscale(arm.cloud, _SET, 3)
