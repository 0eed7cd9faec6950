"""Images of other people's galleries: shared directly, or with the community."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient

from localcloud.arm import ArmSimulator, Options
from tests.arm_plugin import client_options
from tests.contract.arm.disks import make_disk, make_machine, os_disk, reference_of
from tests.contract.arm.requests import (
    SUBSCRIPTION,
    a_gallery,
    definition,
    machine,
    scale_set,
    tags,
    version,
    volume,
)

_PUBLISHER = "00000000-0000-4000-8000-000000000002"
_SHARED = f"/SharedGalleries/{_PUBLISHER}-G/Images/i"
_COMMUNITY = {
    "permissions": "Community",
    "communityGalleryInfo": {
        "publisherUri": "https://example.com",
        "publisherContact": "images@example.com",
        "eula": "none",
        "publicNamePrefix": "golden",
    },
}


@dataclass
class _Two:
    publisher: ComputeManagementClient
    consumer: ComputeManagementClient

    async def share(self, **sharing: object) -> object:
        """Two versions in a gallery of the publisher's."""
        gallery = await (
            await self.publisher.galleries.begin_create_or_update("rg", "g", a_gallery(**sharing))
        ).result()
        await self.publisher.gallery_images.begin_create_or_update("rg", "g", "i", definition())
        for number in ("1.9.0", "1.10.0"):
            await self.publisher.gallery_image_versions.begin_create_or_update(
                "rg", "g", "i", number, version()
            )
        return gallery


@pytest.fixture
async def two() -> AsyncIterator[_Two]:
    options = Options(subscriptions=(SUBSCRIPTION, _PUBLISHER))
    async with (
        ArmSimulator(options=options) as sim,
        ComputeManagementClient(subscription_id=_PUBLISHER, **client_options(sim)) as publisher,
        ComputeManagementClient(subscription_id=SUBSCRIPTION, **client_options(sim)) as consumer,
    ):
        yield _Two(publisher, consumer)


@pytest.mark.parametrize(
    ("asked", "exact"),
    [
        (_SHARED, "1.10.0"),
        (f"{_SHARED}/Versions/latest", "1.10.0"),
        (f"{_SHARED}/Versions/1.9.0", "1.9.0"),
        (f"{_SHARED}/versions/1.9.0".replace("-G/", "-g/"), "1.9.0"),
    ],
)
async def test_a_machine_of_a_shared_image_keeps_the_path_and_tells_the_version(
    two: _Two, asked: str, exact: str
) -> None:
    await two.share(permissions="Groups")

    made = await make_machine(two.consumer, machine({"sharedGalleryImageId": asked}))

    assert reference_of(made) == {"sharedGalleryImageId": asked, "exactVersion": exact}
    disk = await two.consumer.disks.get("rg", os_disk(made)["name"])
    prefix = asked[: len(_SHARED)]
    assert disk["properties"]["creationData"] == {
        "createOption": "FromImage",
        "imageReference": {"id": f"{prefix}/Versions/{exact}"},
        "galleryImageReference": {"sharedGalleryImageId": f"{prefix}/Versions/{exact}"},
    }


async def test_a_gallery_that_is_not_shared_is_not_to_be_found(two: _Two) -> None:
    await two.share()

    with pytest.raises(ResourceNotFoundError, match="SharedGalleries"):
        await make_machine(two.consumer, machine({"sharedGalleryImageId": _SHARED}))


async def test_the_community_finds_a_gallery_by_its_public_name(two: _Two) -> None:
    gallery = await two.share(**_COMMUNITY)
    (public,) = gallery["properties"]["sharingProfile"]["communityGalleryInfo"]["publicNames"]  # type: ignore[index]
    path = f"/CommunityGalleries/{public}/Images/i"

    made = await make_machine(two.consumer, machine({"communityGalleryImageId": path}))

    assert public.startswith("golden-")
    assert reference_of(made) == {"communityGalleryImageId": path, "exactVersion": "1.10.0"}


async def test_a_public_name_stays_when_the_gallery_is_written_again(two: _Two) -> None:
    first = await two.share(**_COMMUNITY)
    await (await two.publisher.galleries.begin_update("rg", "g", tags(a="b"))).result()
    await two.publisher.galleries.begin_create_or_update("rg", "g", a_gallery(**_COMMUNITY))

    again = await two.publisher.galleries.get("rg", "g")

    profile = first["properties"]["sharingProfile"]  # type: ignore[index]
    assert again["properties"]["sharingProfile"] == profile


async def test_a_disk_may_be_made_of_a_shared_version(two: _Two) -> None:
    await two.share(permissions="Groups")
    named = {"sharedGalleryImageId": f"{_SHARED}/Versions/1.9.0"}

    made = await make_disk(two.consumer, "d", volume("FromImage", galleryImageReference=named))

    assert made["properties"]["creationData"]["galleryImageReference"] == named


async def test_a_scale_set_of_a_shared_image_wishes_for_its_path(two: _Two) -> None:
    await two.share(permissions="Groups")
    reference = {"sharedGalleryImageId": _SHARED}
    sets, vms = two.consumer.virtual_machine_scale_sets, two.consumer.virtual_machine_scale_set_vms

    made = await (await sets.begin_create_or_update("rg", "set", scale_set(reference))).result()

    profile = made["properties"]["virtualMachineProfile"]["storageProfile"]
    assert profile["imageReference"] == reference
    found = [reference_of(each) async for each in vms.list("rg", "set")]
    assert found == [{**reference, "exactVersion": "1.10.0"}] * 2
