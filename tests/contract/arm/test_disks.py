"""Managed disks and snapshots: what they say of where they came from."""

from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient

from localcloud.arm import ArmSimulator
from tests.contract.arm.disks import make_disk, make_machine, make_snapshot, os_disk
from tests.contract.arm.requests import (
    GROUP,
    IMAGE,
    SUBSCRIPTION,
    UBUNTU,
    copy_of,
    machine,
    tags,
    version,
    volume,
)

_PLATFORM = (
    f"/Subscriptions/{SUBSCRIPTION}/Providers/Microsoft.Compute/Locations/westeurope/Publishers/"
    "Canonical/ArtifactTypes/VMImage/Offers/0001-com-ubuntu-server-jammy/Skus/22_04-lts-gen2/"
    "Versions/22.04.202405130"
)


async def _version(compute: ComputeManagementClient) -> str:
    await compute.gallery_image_versions.begin_create_or_update("rg", "g", "i", "1.0.0", version())
    return f"{IMAGE}/versions/1.0.0"


async def test_an_empty_disk_has_a_size_and_no_system(compute: ComputeManagementClient) -> None:
    made = await make_disk(compute, "data", volume(size=64))

    assert made["properties"]["creationData"] == {"createOption": "Empty"}
    assert made["properties"]["diskState"] == "Unattached"
    assert (made["properties"]["tier"], made["tags"]) == ("P6", {"team": "a"})
    assert "osType" not in made["properties"]


async def test_until_it_is_made_a_disk_shows_what_was_asked_for(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient
) -> None:
    await slow_compute.disks.begin_create_or_update("rg", "data", volume(size=64))

    early = await slow_compute.disks.get("rg", "data")
    slow_arm.cloud.scheduler.advance(timedelta(seconds=5))
    late = await slow_compute.disks.get("rg", "data")

    assert early["properties"] == {
        "creationData": {"createOption": "Empty"},
        "diskSizeGB": 64,
        "provisioningState": "Updating",
    }
    assert late["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.usefixtures("gallery")
async def test_a_disk_from_a_gallery_names_the_version_twice(
    compute: ComputeManagementClient,
) -> None:
    named = {"id": await _version(compute)}

    made = await make_disk(compute, "d", volume("FromImage", galleryImageReference=named))

    assert made["properties"]["creationData"] == {
        "createOption": "FromImage",
        "imageReference": named,
        "galleryImageReference": named,
    }
    assert made["properties"]["osType"] == "Linux"


async def test_a_disk_may_be_made_of_a_platform_image(compute: ComputeManagementClient) -> None:
    made = await make_disk(compute, "d", volume("FromImage", imageReference={"id": _PLATFORM}))

    reference = made["properties"]["creationData"]["imageReference"]
    assert reference["id"].lower() == _PLATFORM.lower()


async def test_a_copy_names_its_source_but_not_the_image_of_its_source(
    compute: ComputeManagementClient,
) -> None:
    source = os_disk(await make_machine(compute, machine(UBUNTU)))["managedDisk"]["id"]
    original = await compute.disks.get("rg", source.rsplit("/", 1)[-1])

    snapshot = await make_snapshot(compute, "s", copy_of(source))
    disk = await make_disk(compute, "d", copy_of(snapshot.id))

    assert snapshot["properties"]["creationData"] == {
        "createOption": "Copy",
        "sourceResourceId": source,
        "sourceUniqueId": original["properties"]["uniqueId"],
    }
    assert snapshot["properties"]["incremental"] is False
    assert disk["properties"]["creationData"] == {
        "createOption": "Copy",
        "sourceResourceId": snapshot.id,
        "sourceUniqueId": snapshot["properties"]["uniqueId"],
    }
    assert disk["properties"]["osType"] == "Linux"


async def test_a_copy_outlives_its_source(compute: ComputeManagementClient) -> None:
    source = await make_disk(compute, "d", volume(size=32))
    copy = await make_disk(compute, "copy", copy_of(source.id))

    await (await compute.disks.begin_delete("rg", "d")).result()

    kept = await compute.disks.get("rg", "copy")
    assert kept["properties"]["creationData"] == copy["properties"]["creationData"]
    with pytest.raises(ResourceNotFoundError, match="disks/d' under resource group 'rg'"):
        await make_disk(compute, "late", copy_of(source.id))


async def test_an_imported_disk_names_a_blob(compute: ComputeManagementClient) -> None:
    blob = "https://account.blob.core.windows.net/vhds/a.vhd"
    body = volume("Import", sourceUri=blob, storageAccountId=f"{GROUP}/account")
    body["properties"]["osType"] = "Windows"

    made = await make_disk(compute, "d", body)

    assert made["properties"]["creationData"]["sourceUri"] == blob
    assert made["properties"]["osType"] == "Windows"


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        (volume(), "diskSizeGB"),
        (volume("Import"), "creationData.sourceUri"),
        (volume("Copy"), "creationData.sourceResourceId"),
        ({"location": "westeurope", "properties": {}}, "creationData.createOption"),
        (volume("Upload"), "'Upload' is not simulated"),
    ],
)
async def test_a_disk_needs_a_source(
    compute: ComputeManagementClient, body: object, missing: str
) -> None:
    with pytest.raises(HttpResponseError, match=missing) as refusal:
        await make_disk(compute, "d", body)

    assert refusal.value.status_code == 400


async def test_a_disk_grows_but_never_changes_its_source(
    compute: ComputeManagementClient,
) -> None:
    await make_disk(compute, "d", volume(size=32))
    source = await make_disk(compute, "other", volume(size=32))

    await (await compute.disks.begin_update("rg", "d", tags(team="b"))).result()
    grown = await make_disk(compute, "d", volume(size=128))

    assert (grown["properties"]["diskSizeGB"], grown["properties"]["tier"]) == (128, "P10")
    with pytest.raises(ResourceExistsError, match=r"'creationData\.createOption' is not allowed"):
        await make_disk(compute, "d", copy_of(source.id))


async def test_an_attached_disk_cannot_be_deleted(compute: ComputeManagementClient) -> None:
    made = await make_machine(compute, machine(UBUNTU))

    with pytest.raises(ResourceExistsError, match="is attached to VM"):
        await compute.disks.begin_delete("rg", os_disk(made)["name"])


async def test_snapshots_are_listed_and_deleted(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    source = await make_disk(compute, "d", volume(size=32))
    await make_snapshot(compute, "s", copy_of(source.id))

    listed = [each.name async for each in compute.snapshots.list()]
    await (await compute.snapshots.begin_delete("rg", "s")).result()
    left = [each.name async for each in compute.snapshots.list_by_resource_group("rg")]

    assert (listed, left) == (["s"], [])
    written = [
        (event.data["operationName"], event.type.rsplit(".", 1)[-1])
        for event in arm.cloud.events.log
        if "/snapshots/" in event.subject
    ]
    assert written == [
        ("Microsoft.Compute/snapshots/write", "ResourceWriteSuccess"),
        ("Microsoft.Compute/snapshots/delete", "ResourceDeleteSuccess"),
    ]
