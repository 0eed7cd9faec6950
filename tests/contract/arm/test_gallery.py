"""Compute Gallery, as the compute SDK sees it."""

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import AsyncFault
from tests.contract.arm.conftest import make_gallery
from tests.contract.arm.disks import make_machine, os_disk, reference_of
from tests.contract.arm.requests import (
    GROUP,
    IMAGE,
    definition,
    machine,
    tags,
    version,
    version_update,
)


async def _version(compute: ComputeManagementClient, name: str, body: Any) -> Any:
    versions = compute.gallery_image_versions
    return await (await versions.begin_create_or_update("rg", "g", "i", name, body)).result()


async def test_a_version_needs_its_definition(compute: ComputeManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        await _version(compute, "1.0.0", version())

    assert refusal.value.error is not None
    assert refusal.value.error.code == "ParentResourceNotFound"


@pytest.mark.usefixtures("gallery")
async def test_a_version_answers_with_long_region_names(compute: ComputeManagementClient) -> None:
    made = await _version(compute, "1.0.0", version("westeurope", "swedencentral"))

    profile = made["properties"]["publishingProfile"]
    assert profile["targetRegions"] == [
        {
            "name": "West Europe",
            "regionalReplicaCount": 1,
            "storageAccountType": "Standard_LRS",
        },
        {
            "name": "Sweden Central",
            "regionalReplicaCount": 1,
            "storageAccountType": "Standard_LRS",
        },
    ]


async def test_replication_goes_on_region_by_region_under_short_names(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient
) -> None:
    await make_gallery(slow_compute)
    versions = slow_compute.gallery_image_versions
    await versions.begin_create_or_update("rg", "g", "i", "1.0.0", version())

    async def look() -> tuple[str, list[tuple[str, str, int]]]:
        seen = await versions.get("rg", "g", "i", "1.0.0", expand="ReplicationStatus")
        status = seen["properties"]["replicationStatus"]
        rows = [(r["region"], r["state"], r["progress"]) for r in status["summary"]]
        return status["aggregatedState"], rows

    start = await look()
    slow_arm.cloud.scheduler.advance(timedelta(seconds=120))
    half = await look()
    slow_arm.cloud.scheduler.advance(timedelta(seconds=300))
    end = await look()

    assert start == ("InProgress", [("westeurope", "Replicating", 0)])
    assert half == ("InProgress", [("westeurope", "Replicating", 50)])
    assert end == ("Completed", [("westeurope", "Completed", 100)])
    plain = await versions.get("rg", "g", "i", "1.0.0")
    assert "replicationStatus" not in plain["properties"]


@pytest.mark.usefixtures("gallery")
async def test_an_update_replaces_the_whole_set_of_regions(
    compute: ComputeManagementClient,
) -> None:
    await _version(compute, "1.0.0", version("westeurope", "northeurope", exclude=True))
    versions = compute.gallery_image_versions

    update = version_update("westeurope", exclude=False)
    await (await versions.begin_update("rg", "g", "i", "1.0.0", update)).result()
    made = await versions.get("rg", "g", "i", "1.0.0")

    profile = made["properties"]["publishingProfile"]
    assert [region["name"] for region in profile["targetRegions"]] == ["West Europe"]
    assert profile["excludeFromLatest"] is False


@pytest.mark.usefixtures("gallery")
async def test_tags_alone_can_be_changed(compute: ComputeManagementClient) -> None:
    await _version(compute, "1.0.0", version("westeurope", "northeurope", exclude=True))
    versions = compute.gallery_image_versions

    await (await versions.begin_update("rg", "g", "i", "1.0.0", tags(a="b"))).result()
    made = await versions.get("rg", "g", "i", "1.0.0")

    assert made.tags == {"a": "b"}
    assert len(made["properties"]["publishingProfile"]["targetRegions"]) == 2
    assert made["properties"]["publishingProfile"]["excludeFromLatest"] is True


@pytest.mark.usefixtures("gallery")
async def test_a_version_cannot_get_another_source(compute: ComputeManagementClient) -> None:
    await _version(compute, "1.0.0", version())

    with pytest.raises(ResourceExistsError) as refusal:
        await _version(compute, "1.0.0", version(source=f"{GROUP}/other"))

    assert refusal.value.error is not None
    assert refusal.value.error.code == "PropertyChangeNotAllowed"


@pytest.mark.usefixtures("gallery")
async def test_a_protected_version_cannot_be_deleted_before_its_end_of_life(
    compute: ComputeManagementClient,
) -> None:
    body = version(endOfLifeDate="2999-01-01T00:00:00Z")
    body["properties"]["safetyProfile"] = {"blockDeletionBeforeEndOfLife": True}
    await _version(compute, "1.0.0", body)

    with pytest.raises(ResourceExistsError) as refusal:
        await compute.gallery_image_versions.begin_delete("rg", "g", "i", "1.0.0")

    assert refusal.value.error is not None
    assert refusal.value.error.code == "DeleteGalleryImageVersionBlockedBeforeEndOfLife"


@pytest.mark.usefixtures("gallery")
async def test_a_definition_with_versions_cannot_be_deleted(
    compute: ComputeManagementClient,
) -> None:
    await _version(compute, "1.0.0", version())

    with pytest.raises(ResourceExistsError, match="nested resources"):
        await compute.gallery_images.begin_delete("rg", "g", "i")
    await (await compute.gallery_image_versions.begin_delete("rg", "g", "i", "1.0.0")).result()
    await (await compute.gallery_images.begin_delete("rg", "g", "i")).result()

    assert [image.name async for image in compute.gallery_images.list_by_gallery("rg", "g")] == []


@pytest.mark.usefixtures("gallery")
async def test_a_machine_outlives_its_version_its_definition_and_its_gallery(
    compute: ComputeManagementClient,
) -> None:
    await _version(compute, "1.0.0", version())
    await make_machine(compute, machine(IMAGE))
    with pytest.raises(ResourceExistsError, match="nested resources"):
        await compute.galleries.begin_delete("rg", "g")

    await (await compute.gallery_image_versions.begin_delete("rg", "g", "i", "1.0.0")).result()
    await (await compute.gallery_images.begin_delete("rg", "g", "i")).result()
    await (await compute.galleries.begin_delete("rg", "g")).result()

    kept = await compute.virtual_machines.get("rg", "vm")
    assert reference_of(kept) == {"id": IMAGE, "exactVersion": "1.0.0"}
    disk = await compute.disks.get("rg", os_disk(kept)["name"])
    creation = disk["properties"]["creationData"]
    assert creation["galleryImageReference"] == {"id": f"{IMAGE}/versions/1.0.0"}


@pytest.mark.usefixtures("gallery")
async def test_the_kind_of_a_definition_cannot_be_changed(
    compute: ComputeManagementClient,
) -> None:
    with pytest.raises(ResourceExistsError, match="osType"):
        await compute.gallery_images.begin_create_or_update(
            "rg", "g", "i", definition(os="Windows")
        )


@pytest.mark.usefixtures("gallery")
async def test_a_version_may_fail_to_be_made(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    arm.add_fault(AsyncFault(operation="GalleryImageVersions_CreateOrUpdate", times=1))

    with pytest.raises(HttpResponseError):
        await _version(compute, "1.0.0", version())
    made = await compute.gallery_image_versions.get(
        "rg", "g", "i", "1.0.0", expand="ReplicationStatus"
    )

    assert made["properties"]["provisioningState"] == "Failed"
    assert made["properties"]["replicationStatus"]["aggregatedState"] == "Failed"
