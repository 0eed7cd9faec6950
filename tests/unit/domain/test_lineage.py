"""Which image a VM runs, from what Azure says of it and of its disk."""

from typing import Any

import pytest

from shared.domain.lineage import copied_from, from_reference, is_exact, resolve, shared_form
from shared.domain.vm_record import Image, LineageSource

GROUP = "/subscriptions/0000/resourceGroups/RG-Images/providers/Microsoft.Compute"
IMAGE = "/subscriptions/0000/resourcegroups/rg-images/providers/microsoft.compute"
GALLERY_IMAGE = f"{IMAGE}/galleries/golden/images/ubuntu"
PLATFORM = (
    "/Subscriptions/0000/Providers/Microsoft.Compute/Locations/westeurope/Publishers/Canonical"
    "/ArtifactTypes/VMImage/Offers/UbuntuServer/Skus/18.04-LTS/Versions/18.04.202306070"
)


def disk(**creation_data: Any) -> dict[str, Any]:
    return {"properties": {"creationData": creation_data}}


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        pytest.param(
            {"id": f"{GROUP}/galleries/Golden/images/Ubuntu", "exactVersion": "1.1.3"},
            Image(
                image_id=GALLERY_IMAGE, version="1.1.3", source=LineageSource.IMAGE_REFERENCE
            ),
            id="gallery definition",
        ),
        pytest.param(
            {
                "id": f"{GROUP}/galleries/golden/images/ubuntu/versions/1.0.0",
                "exactVersion": "1.0.0",
            },
            Image(
                image_id=GALLERY_IMAGE, version="1.0.0", source=LineageSource.IMAGE_REFERENCE
            ),
            id="gallery version",
        ),
        pytest.param(
            {"id": f"{GROUP}/galleries/golden/images/ubuntu/versions/1.0.0"},
            Image(
                image_id=GALLERY_IMAGE, version="1.0.0", source=LineageSource.IMAGE_REFERENCE
            ),
            id="gallery version without exact version",
        ),
        pytest.param(
            {"id": f"{GROUP}/galleries/golden/images/ubuntu", "exactVersion": "latest"},
            Image(image_id=GALLERY_IMAGE, version="", source=LineageSource.IMAGE_REFERENCE),
            id="gallery VM that is being created",
        ),
        pytest.param(
            {
                "publisher": "Canonical",
                "offer": "UbuntuServer",
                "sku": "18.04-LTS",
                "version": "latest",
                "exactVersion": "18.04.202306070",
            },
            Image(
                image_id="canonical:ubuntuserver:18.04-lts",
                version="18.04.202306070",
                source=LineageSource.IMAGE_REFERENCE,
            ),
            id="Marketplace",
        ),
        pytest.param(
            {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS",
             "version": "18.04.1"},
            Image(
                image_id="canonical:ubuntuserver:18.04-lts",
                version="18.04.1",
                source=LineageSource.IMAGE_REFERENCE,
            ),
            id="Marketplace with a pinned version and no exact one",
        ),
        pytest.param(
            {
                "sharedGalleryImageId": "/SharedGalleries/0b1f-GALLERY/Images/i8/Versions/1.1.2",
                "exactVersion": "1.1.2",
            },
            Image(
                image_id="/sharedgalleries/0b1f-gallery/images/i8",
                version="1.1.2",
                source=LineageSource.SHARED_GALLERY,
            ),
            id="shared gallery",
        ),
        pytest.param(
            {
                "communityGalleryImageId": "/CommunityGalleries/pub-1/Images/i",
                "exactVersion": "2.0.0",
            },
            Image(
                image_id="/communitygalleries/pub-1/images/i",
                version="2.0.0",
                source=LineageSource.SHARED_GALLERY,
            ),
            id="community gallery",
        ),
        pytest.param(
            {"id": f"{GROUP}/images/Custom"},
            Image(
                image_id=f"{IMAGE}/images/custom", version="", source=LineageSource.IMAGE_REFERENCE
            ),
            id="managed image",
        ),
        pytest.param(None, Image(), id="attached OS disk"),
        pytest.param({"id": "something else"}, Image(), id="an id of no kind known"),
    ],
)  # fmt: skip
def test_the_image_reference_of_a_vm_names_its_image(
    reference: dict[str, str] | None, expected: Image
) -> None:
    assert from_reference(reference) == expected


def test_a_managed_image_is_exact_though_it_has_no_version() -> None:
    assert is_exact(from_reference({"id": f"{GROUP}/images/custom"}))


def test_a_gallery_image_is_exact_only_with_its_version() -> None:
    reference = {"id": f"{GROUP}/galleries/golden/images/ubuntu", "exactVersion": "latest"}
    assert not is_exact(from_reference(reference))
    assert is_exact(from_reference({**reference, "exactVersion": "1.0.0"}))
    assert not is_exact(Image())


@pytest.mark.parametrize(
    ("creation_data", "image_id", "version"),
    [
        pytest.param(
            {"galleryImageReference": {"id": f"{GALLERY_IMAGE}/versions/1.1.2"}},
            GALLERY_IMAGE, "1.1.2", id="own gallery",
        ),
        pytest.param(
            {
                "galleryImageReference": {
                    "sharedGalleryImageId": "/SharedGalleries/u/Images/i/Versions/1.1.2"
                }
            },
            "/sharedgalleries/u/images/i", "1.1.2", id="shared gallery",
        ),
        pytest.param(
            {"imageReference": {"id": "/SharedGalleries/u/Images/i/Versions/1.1.2"}},
            "/sharedgalleries/u/images/i", "1.1.2", id="shared gallery under the plain id",
        ),
        pytest.param(
            {"imageReference": {"id": PLATFORM}},
            "canonical:ubuntuserver:18.04-lts", "18.04.202306070", id="Marketplace",
        ),
    ],
)  # fmt: skip
def test_the_os_disk_tells_the_image_of_a_vm_that_does_not(
    creation_data: dict[str, Any], image_id: str, version: str
) -> None:
    image = resolve(None, [disk(createOption="FromImage", **creation_data)])
    assert image == Image(image_id=image_id, version=version, source=LineageSource.DISK)


def test_the_image_is_found_through_the_snapshot_the_disk_was_copied_from() -> None:
    snapshot_id = f"{GROUP}/snapshots/before"
    os_disk = disk(createOption="Copy", sourceResourceId=snapshot_id)
    snapshot = disk(createOption="Copy", galleryImageReference={"id": f"{GROUP}/galleries/golden/images/ubuntu/versions/1.0.0"})  # fmt: skip  # noqa: E501
    assert copied_from(os_disk) == f"{IMAGE}/snapshots/before"
    assert resolve(None, [os_disk, snapshot]) == Image(
        image_id=GALLERY_IMAGE, version="1.0.0", source=LineageSource.SNAPSHOT
    )


def test_the_lineage_is_lost_where_the_trail_ends() -> None:
    os_disk = disk(createOption="Copy", sourceResourceId=f"{GROUP}/snapshots/deleted")
    assert resolve(None, [os_disk]) == Image()


@pytest.mark.parametrize(
    "resource",
    [
        disk(createOption="Upload", sourceResourceId=f"{GROUP}/snapshots/s"),
        disk(createOption="Restore", sourceResourceId=f"{GROUP}/restorePointCollections/c"),
        disk(createOption="Copy"),
        {},
    ],
)
def test_only_copies_of_disks_and_snapshots_are_followed(resource: dict[str, Any]) -> None:
    assert copied_from(resource) == ""


def test_the_disk_makes_a_definition_exact() -> None:
    reference = {"id": f"{GROUP}/galleries/golden/images/ubuntu", "exactVersion": "latest"}
    os_disk = disk(imageReference={"id": f"{GROUP}/galleries/golden/images/ubuntu/versions/1.2.0"})
    assert resolve(reference, [os_disk]) == Image(
        image_id=GALLERY_IMAGE, version="1.2.0", source=LineageSource.DISK
    )


def test_vm_and_disk_that_agree_are_told_by_the_vm() -> None:
    reference = {"id": f"{GROUP}/galleries/golden/images/ubuntu", "exactVersion": "1.2.0"}
    os_disk = disk(imageReference={"id": f"{GROUP}/galleries/golden/images/ubuntu/versions/1.2.0"})
    image = resolve(reference, [os_disk])
    assert (image.source, image.mismatch) == (LineageSource.IMAGE_REFERENCE, False)


@pytest.mark.parametrize(
    "disk_image", [f"{GROUP}/galleries/golden/images/ubuntu/versions/1.3.0", PLATFORM]
)
def test_a_swapped_disk_is_believed_and_marked(disk_image: str) -> None:
    reference = {"id": f"{GROUP}/galleries/golden/images/ubuntu", "exactVersion": "1.2.0"}
    image = resolve(reference, [disk(imageReference={"id": disk_image})])
    assert (image.source, image.mismatch) == (LineageSource.DISK, True)
    assert image.version in ("1.3.0", "18.04.202306070")


def test_our_gallery_image_has_another_name_for_users_of_direct_sharing() -> None:
    assert shared_form(GALLERY_IMAGE) == "/sharedgalleries/0000-golden/images/ubuntu"
    assert shared_form("canonical:ubuntuserver:18.04-lts") == ""
