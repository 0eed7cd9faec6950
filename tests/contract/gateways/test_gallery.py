"""What the steps may rely on when they ask the Compute Gallery."""

import pytest

from shared.errors import NotFoundError
from shared.ports import GalleryVersion
from tests.contract.gateways.clouds import Cloud
from tests.contract.gateways.looks import built, ensured, replicated
from tests.contract.gateways.things import DEFINITION, VERSION, spec


async def test_the_id_of_an_image_is_normalised(cloud: Cloud) -> None:
    image_id = cloud.gallery.image_id(DEFINITION)

    assert image_id == image_id.lower()
    assert image_id.endswith("/galleries/assay/images/ubuntu-2204")


async def test_an_image_is_ensured_once_azure_has_made_it(cloud: Cloud) -> None:
    await ensured(cloud)

    await cloud.gallery.ensure_image(DEFINITION)

    assert await cloud.gallery.versions(cloud.gallery.image_id(DEFINITION)) == []


async def test_a_missing_image_has_no_versions(cloud: Cloud) -> None:
    image_id = cloud.gallery.image_id(DEFINITION)

    assert await cloud.gallery.versions(image_id) == []
    assert await cloud.gallery.version(image_id, VERSION) is None


async def test_a_built_version_is_excluded_and_replicated_by_short_names(cloud: Cloud) -> None:
    version = await replicated(cloud, await built(cloud))

    assert version == GalleryVersion(
        resource_id=f"{cloud.gallery.image_id(DEFINITION)}/versions/{VERSION}",
        provisioning_state="Succeeded",
        excluded_from_latest=True,
        regions={"westeurope": 1, "northeurope": 2},
        replicated=frozenset({"westeurope", "northeurope"}),
        tags=version.tags,
    )
    assert version.tags["assay-definition"] == "ubuntu-2204"


async def test_every_version_number_is_listed(cloud: Cloud) -> None:
    await built(cloud)
    await built(cloud, spec(2))

    listed = await cloud.gallery.versions(cloud.gallery.image_id(DEFINITION))

    assert sorted(listed) == ["1.20261122.1", "1.20261122.2"]


async def test_tags_are_added_to_those_there_are(cloud: Cloud) -> None:
    image_id, version = await built(cloud)

    await cloud.gallery.tag(image_id, version, {"assay-build-id": "b", "assay-attempt": "1"})
    await cloud.gallery.tag(image_id, version, {"assay-attempt": "2"})

    tags = (await replicated(cloud, (image_id, version))).tags
    assert tags["assay-definition"] == "ubuntu-2204"
    assert tags["assay-build-id"] == "b"
    assert tags["assay-attempt"] == "2"


async def test_publishing_keeps_regions_and_tags(cloud: Cloud) -> None:
    image_id, version = await built(cloud)

    await cloud.gallery.set_publishing(DEFINITION, version, excluded_from_latest=False)

    published = await replicated(cloud, (image_id, version))
    assert published.excluded_from_latest is False
    assert published.excluded_regions == frozenset()
    assert published.regions == {"westeurope": 1, "northeurope": 2}
    assert published.tags["assay-definition"] == "ubuntu-2204"


async def test_a_version_is_taken_back_out_of_latest(cloud: Cloud) -> None:
    image_id, version = await built(cloud)
    await cloud.gallery.set_publishing(DEFINITION, version, excluded_from_latest=False)
    await replicated(cloud, (image_id, version))

    await cloud.gallery.set_publishing(DEFINITION, version, excluded_from_latest=True)

    assert (await replicated(cloud, (image_id, version))).excluded_from_latest is True


async def test_what_is_not_there_cannot_be_tagged_or_published(cloud: Cloud) -> None:
    await ensured(cloud)
    image_id = cloud.gallery.image_id(DEFINITION)

    with pytest.raises(NotFoundError, match=VERSION):
        await cloud.gallery.tag(image_id, VERSION, {"assay-attempt": "1"})
    with pytest.raises(NotFoundError, match=VERSION):
        await cloud.gallery.set_publishing(DEFINITION, VERSION, excluded_from_latest=False)
