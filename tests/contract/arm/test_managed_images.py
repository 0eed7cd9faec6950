"""Managed images: images outside galleries, which have no versions."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.imagebuilder.aio import ImageBuilderClient

from tests.contract.arm.disks import (
    generalize,
    make_disk,
    make_machine,
    make_snapshot,
    os_disk,
    read_file,
    reference_of,
)
from tests.contract.arm.requests import (
    GROUP,
    IMAGE,
    UBUNTU,
    captured,
    copy_of,
    image_of_disk,
    machine,
    tags,
    template,
    version,
    volume,
    without_profile,
)

_IMAGE = f"{GROUP}/providers/Microsoft.Compute/images/managed"


async def _image(compute: ComputeManagementClient, body: Any) -> Any:
    poller = await compute.images.begin_create_or_update("rg", "managed", body)
    return await poller.result()


async def test_a_machine_of_a_managed_image_names_it_and_no_version(
    compute: ComputeManagementClient,
) -> None:
    source = await make_machine(compute, machine(UBUNTU), "source")
    await generalize(compute, "source")
    await _image(compute, captured(source.id))

    made = await make_machine(compute, machine(_IMAGE))

    assert reference_of(made) == {"id": _IMAGE}
    disk = await compute.disks.get("rg", os_disk(made)["name"])
    assert disk["properties"]["creationData"] == {
        "createOption": "FromImage",
        "imageReference": {"id": _IMAGE},
    }
    assert made["properties"]["osProfile"]["computerName"] == "vm"


async def test_only_a_generalized_machine_becomes_an_image(
    compute: ComputeManagementClient,
) -> None:
    source = await make_machine(compute, machine(UBUNTU), "source")

    with pytest.raises(ResourceExistsError, match=r"'generalize' is not allowed.*is running"):
        await compute.virtual_machines.generalize("rg", "source")
    with pytest.raises(ResourceExistsError, match="'source' to be Generalized"):
        await _image(compute, captured(source.id))
    await generalize(compute, "source")
    with pytest.raises(ResourceExistsError, match=r"'start' is not allowed.*is generalized"):
        await compute.virtual_machines.begin_start("rg", "source")


@pytest.mark.usefixtures("gallery")
async def test_a_managed_image_keeps_what_is_in_its_machine(
    compute: ComputeManagementClient, image_builder: ImageBuilderClient
) -> None:
    templates = image_builder.virtual_machine_image_templates
    await templates.begin_create_or_update("rg", "t", template(exclude=False))
    await (await templates.begin_run("rg", "t")).result()
    golden = await make_machine(compute, machine(IMAGE), "golden")
    await generalize(compute, "golden")
    await _image(compute, captured(golden.id))

    await make_machine(compute, machine(_IMAGE))

    assert '"b-1"' in await read_file(compute, "/etc/assay/tattoo.json")


@pytest.mark.parametrize("kind", ["managedDisk", "snapshot"])
async def test_an_image_may_be_made_of_a_disk_or_snapshot(
    compute: ComputeManagementClient, kind: str
) -> None:
    source = os_disk(await make_machine(compute, machine(UBUNTU), "source"))["managedDisk"]["id"]
    make = make_disk if kind == "managedDisk" else make_snapshot
    copy = await make(compute, "copy", copy_of(source))

    source_of_image: dict[str, Any] = {kind: {"id": copy.id}}

    made = await _image(compute, image_of_disk(**source_of_image))

    profile = made["properties"]["storageProfile"]
    assert profile["osDisk"][kind] == {"id": copy.id}
    assert (profile["osDisk"]["caching"], profile["dataDisks"]) == ("ReadWrite", [])


async def test_a_specialized_image_gives_machines_without_profile(
    compute: ComputeManagementClient,
) -> None:
    disk = await make_disk(compute, "d", volume(size=32))
    await _image(compute, image_of_disk(state="Specialized", managedDisk={"id": disk.id}))

    with pytest.raises(HttpResponseError, match="'osProfile' is not allowed"):
        await make_machine(compute, machine(_IMAGE))
    made = await make_machine(compute, without_profile(machine(_IMAGE)))

    assert "osProfile" not in made["properties"]


async def test_an_image_of_nothing_is_refused(compute: ComputeManagementClient) -> None:
    with pytest.raises(HttpResponseError, match="One of the parameters 'managedDisk'"):
        await _image(compute, image_of_disk())
    with pytest.raises(ResourceNotFoundError, match="virtualMachines/absent"):
        await _image(
            compute, captured(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/absent")
        )


@pytest.mark.usefixtures("gallery")
async def test_a_machine_outlives_its_image_and_a_version_may_be_made_of_it(
    compute: ComputeManagementClient,
) -> None:
    blob = image_of_disk(blobUri="https://account.blob.core.windows.net/vhds/a.vhd")
    await _image(compute, blob)
    await compute.gallery_image_versions.begin_create_or_update(
        "rg", "g", "i", "1.0.0", version(source=_IMAGE)
    )
    await make_machine(compute, machine(_IMAGE))
    await (await compute.images.begin_update("rg", "managed", tags(team="b"))).result()
    listed = [(each.name, each.tags) async for each in compute.images.list()]

    await (await compute.images.begin_delete("rg", "managed")).result()

    assert listed == [("managed", {"team": "b"})]
    assert [each async for each in compute.images.list_by_resource_group("rg")] == []
    kept = await compute.virtual_machines.get("rg", "vm")
    assert reference_of(kept) == {"id": _IMAGE}
    with pytest.raises(ResourceNotFoundError, match="images/managed"):
        await make_machine(compute, machine(_IMAGE), "late")
