"""Machines that boot a disk which was there before them, or get another one later."""

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.imagebuilder.aio import ImageBuilderClient

from localcloud.arm import ArmSimulator
from tests.contract.arm.disks import (
    deallocate,
    make_disk,
    make_machine,
    os_disk,
    read_file,
    reference_of,
    restored,
)
from tests.contract.arm.requests import (
    GROUP,
    IMAGE,
    NEWEST_UBUNTU,
    UBUNTU,
    attached,
    machine,
    swapped,
    template,
    volume,
)

_A_WHILE = timedelta(minutes=5)
_TATTOO = "/etc/assay/tattoo.json"
_ABSENT = f"{GROUP}/providers/Microsoft.Compute/disks/absent"


@pytest.fixture
async def tattooed(
    gallery: None, compute: ComputeManagementClient, image_builder: ImageBuilderClient
) -> str:
    """The id of the OS disk of machine `golden`, which has a tattoo."""
    templates = image_builder.virtual_machine_image_templates
    await templates.begin_create_or_update("rg", "t", template(exclude=False))
    await (await templates.begin_run("rg", "t")).result()
    made = await make_machine(compute, machine(IMAGE), "golden")
    return str(os_disk(made)["managedDisk"]["id"])


async def test_a_machine_of_an_attached_disk_has_no_image_and_no_profile(
    compute: ComputeManagementClient, tattooed: str
) -> None:
    disk = await restored(compute, tattooed, "restored")

    made = await make_machine(compute, attached(disk.id))

    assert reference_of(made) is None
    assert "osProfile" not in made["properties"]
    assert (os_disk(made)["createOption"], os_disk(made)["name"]) == ("Attach", "restored")
    assert '"b-1"' in await read_file(compute, _TATTOO)
    kept = await compute.disks.get("rg", "restored")
    assert (kept.managed_by, kept["properties"]["diskState"]) == (made.id, "Attached")


async def test_a_copy_is_not_changed_by_what_becomes_of_its_source(
    compute: ComputeManagementClient, arm: ArmSimulator, tattooed: str
) -> None:
    disk = await restored(compute, tattooed, "restored")
    source = arm.cloud.store.get(tattooed)
    assert source is not None
    source.facts["guest"].files.clear()

    await make_machine(compute, attached(disk.id))

    assert await read_file(compute, _TATTOO, "golden") == ""
    assert '"b-1"' in await read_file(compute, _TATTOO)


async def test_a_disk_boots_one_machine_at_a_time(
    compute: ComputeManagementClient, tattooed: str
) -> None:
    with pytest.raises(ResourceExistsError, match="it is owned by VM"):
        await make_machine(compute, attached(tattooed))
    with pytest.raises(ResourceNotFoundError, match="disks/absent"):
        await make_machine(compute, attached(_ABSENT))


async def test_an_attached_disk_goes_with_neither_image_nor_profile(
    compute: ComputeManagementClient,
) -> None:
    disk = await make_disk(compute, "d", volume(size=32))
    with_image, with_profile = attached(disk.id), attached(disk.id)
    with_image["properties"]["storageProfile"]["imageReference"] = UBUNTU
    with_profile["properties"]["osProfile"] = {"computerName": "vm"}

    with pytest.raises(HttpResponseError, match="Cannot attach an existing OS disk"):
        await make_machine(compute, with_image)
    with pytest.raises(HttpResponseError, match="Parameter 'osProfile' is not allowed"):
        await make_machine(compute, with_profile)


async def test_a_disk_that_was_attached_stays_when_its_machine_goes(
    compute: ComputeManagementClient,
) -> None:
    disk = await make_disk(compute, "d", volume(size=32))
    await make_machine(compute, attached(disk.id))

    await (await compute.virtual_machines.begin_delete("rg", "vm")).result()

    left = await compute.disks.get("rg", "d")
    assert (left.managed_by, left["properties"]["diskState"]) == (None, "Unattached")


async def test_a_swap_changes_disk_and_guest_but_not_the_image_reference(
    compute: ComputeManagementClient, arm: ArmSimulator, tattooed: str
) -> None:
    before = await make_machine(compute, machine(UBUNTU))
    disk = await restored(compute, tattooed, "other")
    await deallocate(compute)
    seen = len(arm.cloud.events.log)

    await (await compute.virtual_machines.begin_update("rg", "vm", swapped(disk.id))).result()
    await (await compute.virtual_machines.begin_start("rg", "vm")).result()

    after = await compute.virtual_machines.get("rg", "vm")
    assert reference_of(after) == {**UBUNTU, "exactVersion": NEWEST_UBUNTU}
    assert os_disk(after)["managedDisk"]["id"] == disk.id
    assert (os_disk(after)["name"], os_disk(after)["createOption"]) == ("other", "FromImage")
    assert '"b-1"' in await read_file(compute, _TATTOO)
    old = await compute.disks.get("rg", os_disk(before)["name"])
    assert (old.managed_by, old["properties"]["diskState"]) == (None, "Unattached")
    (written, *_) = list(arm.cloud.events.log)[seen:]
    assert written.data["operationName"] == "Microsoft.Compute/virtualMachines/write"
    assert written.subject == after.id


async def test_a_put_swaps_the_disk_too(compute: ComputeManagementClient) -> None:
    await make_machine(compute, machine(UBUNTU))
    disk = await make_disk(compute, "other", volume(size=64))
    await deallocate(compute)
    body = machine(UBUNTU)
    body["properties"]["storageProfile"]["osDisk"].update(managedDisk={"id": disk.id}, name="other")

    made = await make_machine(compute, body)

    assert os_disk(made)["managedDisk"]["id"] == disk.id
    reserved = await compute.disks.get("rg", "other")
    assert reserved["properties"]["diskState"] == "Reserved"


async def test_only_a_deallocated_machine_changes_its_disk(
    compute: ComputeManagementClient,
) -> None:
    made = await make_machine(compute, machine(UBUNTU))
    disk = await make_disk(compute, "other", volume(size=32))

    with pytest.raises(ResourceExistsError, match="since the VM is not deallocated"):
        await compute.virtual_machines.begin_update("rg", "vm", swapped(disk.id))
    same = swapped(os_disk(made)["managedDisk"]["id"])
    await (await compute.virtual_machines.begin_update("rg", "vm", same)).result()


@pytest.mark.parametrize("field", ["createOption", "name"])
async def test_name_and_origin_of_the_same_disk_cannot_be_changed(
    compute: ComputeManagementClient, field: str
) -> None:
    await make_machine(compute, machine(UBUNTU))
    await deallocate(compute)
    change: Any = {"properties": {"storageProfile": {"osDisk": {field: "Attach"}}}}

    with pytest.raises(ResourceExistsError, match=rf"'osDisk\.{field}' is not allowed"):
        await compute.virtual_machines.begin_update("rg", "vm", change)


async def test_of_two_swaps_to_one_disk_only_one_succeeds(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient
) -> None:
    machines = slow_compute.virtual_machines
    await slow_compute.disks.begin_create_or_update("rg", "other", volume(size=32))
    for name in ("a", "b"):
        await machines.begin_create_or_update("rg", name, machine(UBUNTU))
        await machines.begin_deallocate("rg", name)
    slow_arm.cloud.scheduler.advance(_A_WHILE)
    disk = await slow_compute.disks.get("rg", "other")
    for name in ("a", "b"):
        await machines.begin_update("rg", name, swapped(str(disk.id)))
    slow_arm.cloud.scheduler.advance(_A_WHILE)

    states = [(await machines.get("rg", name)).provisioning_state for name in ("a", "b")]

    assert states == ["Succeeded", "Failed"]
