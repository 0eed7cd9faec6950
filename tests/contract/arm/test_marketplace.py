"""Marketplace images, as the compute SDK sees them."""

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient

from localcloud.arm import ArmSimulator

_JAMMY = ("westeurope", "Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2")
_WINDOWS = (
    "westeurope",
    "MicrosoftWindowsServer",
    "WindowsServer",
    "2022-datacenter-azure-edition",
)


async def test_versions_come_in_the_order_of_text_not_of_numbers(
    compute: ComputeManagementClient,
) -> None:
    versions = await compute.virtual_machine_images.list(*_WINDOWS)

    assert [version.name for version in versions] == [
        "20348.2113.231109",
        "20348.2762.241006",
        "20348.887.220806",
    ]


async def test_top_one_by_name_is_not_the_newest(compute: ComputeManagementClient) -> None:
    (first,) = await compute.virtual_machine_images.list(*_WINDOWS, top=1, orderby="name desc")

    assert first.name == "20348.887.220806"


async def test_a_version_list_is_a_bare_array_with_capitals_in_its_ids(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    versions = await compute.virtual_machine_images.list(*_JAMMY)

    assert versions[0].id == (
        f"/Subscriptions/{arm.subscription_id}/Providers/Microsoft.Compute/Locations/westeurope/"
        "Publishers/Canonical/ArtifactTypes/VMImage/Offers/0001-com-ubuntu-server-jammy/"
        "Skus/22_04-lts-gen2/Versions/22.04.202204200"
    )


async def test_expanding_properties_tells_generation_and_architecture(
    compute: ComputeManagementClient,
) -> None:
    versions = await compute.virtual_machine_images.list(*_JAMMY, expand="properties")

    assert versions[0]["properties"]["hyperVGeneration"] == "V2"
    assert versions[0]["properties"]["architecture"] == "x64"


async def test_a_published_version_is_listed_at_once(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    arm.publish_version(*_JAMMY[1:], "22.04.202501010")

    versions = await compute.virtual_machine_images.list(*_JAMMY)

    assert versions[-1].name == "22.04.202501010"


async def test_a_deprecated_version_says_so(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    plan = arm.cloud.marketplace.find(*_JAMMY[1:])
    assert plan is not None
    plan.deprecations["22.04.202204200"] = {
        "imageState": "ScheduledForDeprecation",
        "scheduledDeprecationTime": "2027-01-01T00:00:00+00:00",
        "alternativeOption": {"type": "Plan", "value": "server"},
    }

    old = await compute.virtual_machine_images.get(*_JAMMY, "22.04.202204200")
    new = await compute.virtual_machine_images.get(*_JAMMY, "22.04.202411080")

    assert old["properties"]["imageDeprecationStatus"]["imageState"] == "ScheduledForDeprecation"
    assert new["properties"]["imageDeprecationStatus"] == {"imageState": "Active"}


async def test_publishers_offers_and_skus_are_listed(compute: ComputeManagementClient) -> None:
    images = compute.virtual_machine_images

    publishers = await images.list_publishers("westeurope")
    offers = await images.list_offers("westeurope", "Debian")
    skus = await images.list_skus("westeurope", "Debian", "debian-12")

    assert [row.name for row in publishers] == ["Canonical", "Debian", "MicrosoftWindowsServer"]
    assert [row.name for row in offers] == ["debian-12"]
    assert [row.name for row in skus] == ["12-gen2"]


async def test_an_unknown_publisher_is_named(compute: ComputeManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        await compute.virtual_machine_images.list("westeurope", "fooBAR", "o", "s")

    assert refusal.value.error is not None
    assert refusal.value.error.message == "Publisher: fooBAR was not found."


async def test_an_unknown_version_is_not_found(compute: ComputeManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError, match="Artifact: VMImage was not found"):
        await compute.virtual_machine_images.get(*_JAMMY, "22.04.1")
