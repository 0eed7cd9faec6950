"""Scale sets: the model is the wish, the instances know what they run."""

from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient

from tests.contract.arm.requests import IMAGE, scale_set, version


async def _version(compute: ComputeManagementClient, number: str) -> None:
    await compute.gallery_image_versions.begin_create_or_update("rg", "g", "i", number, version())


async def _write(compute: ComputeManagementClient, body: Any) -> Any:
    sets = compute.virtual_machine_scale_sets
    return await (await sets.begin_create_or_update("rg", "set", body)).result()


@pytest.mark.usefixtures("gallery")
async def test_the_model_has_no_exact_version_and_the_instances_have(
    compute: ComputeManagementClient,
) -> None:
    await _version(compute, "1.0.0")

    made = await _write(compute, scale_set())
    instances = [i async for i in compute.virtual_machine_scale_set_vms.list("rg", "set")]

    profile = made["properties"]["virtualMachineProfile"]["storageProfile"]
    assert profile["imageReference"] == {"id": IMAGE}
    assert [i["instanceId"] for i in instances] == ["0", "1"]
    for instance in instances:
        reference = instance["properties"]["storageProfile"]["imageReference"]
        assert reference == {"id": IMAGE, "exactVersion": "1.0.0"}
        assert instance["properties"]["latestModelApplied"] is True


@pytest.mark.usefixtures("gallery")
async def test_instances_keep_their_version_until_they_are_reimaged(
    compute: ComputeManagementClient,
) -> None:
    await _version(compute, "1.0.0")
    await _write(compute, scale_set(f"{IMAGE}/versions/1.0.0"))
    await _version(compute, "1.1.0")
    await _write(compute, scale_set(f"{IMAGE}/versions/1.1.0", capacity=3))
    vms = compute.virtual_machine_scale_set_vms

    await (await vms.begin_reimage("rg", "set", "0")).result()

    found = [
        (
            i["instanceId"],
            i["properties"]["storageProfile"]["imageReference"]["exactVersion"],
            i["properties"]["latestModelApplied"],
        )
        async for i in vms.list("rg", "set")
    ]
    assert found == [("0", "1.1.0", True), ("1", "1.0.0", False), ("2", "1.1.0", True)]
    assert len([disk async for disk in compute.disks.list_by_resource_group("rg")]) == 3


@pytest.mark.usefixtures("gallery")
async def test_flexible_instances_are_ordinary_machines(
    compute: ComputeManagementClient,
) -> None:
    await _version(compute, "1.0.0")
    made = await _write(compute, scale_set(mode="Flexible"))

    machines = [vm async for vm in compute.virtual_machines.list("rg")]

    assert len(machines) == 2
    for vm in machines:
        assert vm["properties"]["virtualMachineScaleSet"]["id"] == made.id
        assert vm["properties"]["storageProfile"]["imageReference"]["exactVersion"] == "1.0.0"


@pytest.mark.usefixtures("gallery")
async def test_deleting_the_version_stops_scale_out_but_not_the_instances(
    compute: ComputeManagementClient,
) -> None:
    await _version(compute, "1.0.0")
    await _write(compute, scale_set())
    await (await compute.gallery_image_versions.begin_delete("rg", "g", "i", "1.0.0")).result()

    with pytest.raises(Exception, match="There is no latest image version exists"):
        await _write(compute, scale_set(capacity=3))

    instances = [i async for i in compute.virtual_machine_scale_set_vms.list("rg", "set")]
    assert len(instances) == 2


@pytest.mark.usefixtures("gallery")
async def test_a_deleted_scale_set_takes_its_instances_along(
    compute: ComputeManagementClient,
) -> None:
    await _version(compute, "1.0.0")
    await _write(compute, scale_set())
    await (await compute.virtual_machine_scale_set_vms.begin_delete("rg", "set", "1")).result()
    remaining = await compute.virtual_machine_scale_sets.get("rg", "set")

    await (await compute.virtual_machine_scale_sets.begin_delete("rg", "set")).result()

    assert remaining["sku"]["capacity"] == 1
    assert [s async for s in compute.virtual_machine_scale_sets.list_all()] == []
    with pytest.raises(ResourceNotFoundError):
        await compute.virtual_machine_scale_set_vms.get("rg", "set", "0")
