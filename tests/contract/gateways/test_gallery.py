"""What the steps may rely on when they ask the Compute Gallery."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import NotFoundError, RefusedError
from shared.ports import GalleryVersion, Publishing
from tests.contract.gateways.clouds import Cloud
from tests.contract.gateways.looks import built, ensured, gone, replicated
from tests.contract.gateways.things import DEFINITION, VERSION, spec


def offered(**changes: Any) -> Publishing:
    """Return how a released version is published."""
    regions = {r.name: r.replicas for r in DEFINITION.regions}
    return Publishing(**{"regions": regions, "excluded_from_latest": False, **changes})


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

    await cloud.gallery.set_publishing(image_id, version, offered())

    published = await replicated(cloud, (image_id, version))
    assert published.excluded_from_latest is False
    assert published.excluded_regions == frozenset()
    assert published.regions == {"westeurope": 1, "northeurope": 2}
    assert published.tags["assay-definition"] == "ubuntu-2204"


async def test_a_version_is_taken_back_out_of_latest(cloud: Cloud) -> None:
    image_id, version = await built(cloud)
    await cloud.gallery.set_publishing(image_id, version, offered())
    await replicated(cloud, (image_id, version))

    await cloud.gallery.set_publishing(image_id, version, offered(excluded_from_latest=True))

    assert (await replicated(cloud, (image_id, version))).excluded_from_latest is True


async def test_what_is_not_there_cannot_be_tagged_or_published(cloud: Cloud) -> None:
    await ensured(cloud)
    image_id = cloud.gallery.image_id(DEFINITION)

    with pytest.raises(NotFoundError, match=VERSION):
        await cloud.gallery.tag(image_id, VERSION, {"assay-attempt": "1"})
    with pytest.raises(NotFoundError, match=VERSION):
        await cloud.gallery.set_publishing(image_id, VERSION, offered())


async def test_a_region_can_exclude_a_version_on_its_own(cloud: Cloud) -> None:
    image_id, version = await built(cloud)

    closed = offered(excluded_regions=frozenset({"northeurope"}))
    await cloud.gallery.set_publishing(image_id, version, closed)

    published = await replicated(cloud, (image_id, version))
    assert published.excluded_from_latest is False
    assert published.excluded_regions == {"northeurope"}
    await cloud.gallery.set_publishing(image_id, version, offered())
    assert (await replicated(cloud, (image_id, version))).excluded_regions == frozenset()


async def test_replicas_end_of_life_and_tags_go_in_one_update(cloud: Cloud) -> None:
    image_id, version = await built(cloud)
    tags = (await replicated(cloud, (image_id, version))).tags
    end = (datetime.now(UTC) + timedelta(days=90)).replace(microsecond=0)

    await cloud.gallery.set_publishing(
        image_id,
        version,
        offered(
            regions={"westeurope": 4, "northeurope": 2},
            end_of_life=end,
            tags={**tags, "assay-state": "aged"},
        ),
    )

    aged = await replicated(cloud, (image_id, version))
    assert aged.regions == {"westeurope": 4, "northeurope": 2}
    assert aged.end_of_life == end
    assert aged.tags == {**tags, "assay-state": "aged"}
    assert aged.deletion_blocked is False


async def test_the_end_of_life_stays_where_an_update_does_not_name_one(cloud: Cloud) -> None:
    image_id, version = await built(cloud)
    end = (datetime.now(UTC) + timedelta(days=90)).replace(microsecond=0)
    first = offered(end_of_life=end, block_deletion=True)
    await cloud.gallery.set_publishing(image_id, version, first)
    await replicated(cloud, (image_id, version))

    await cloud.gallery.set_publishing(image_id, version, offered(excluded_from_latest=True))

    kept = await replicated(cloud, (image_id, version))
    assert (kept.end_of_life, kept.deletion_blocked) == (end, True)


async def test_a_version_is_deleted_and_deleting_it_again_is_no_error(cloud: Cloud) -> None:
    image_id, version = await built(cloud)

    await cloud.gallery.delete(image_id, version)
    await cloud.gallery.delete(image_id, version)
    await gone(cloud, (image_id, version))
    await cloud.gallery.delete(image_id, version)

    assert await cloud.gallery.versions(image_id) == []


async def test_a_version_is_not_deleted_before_its_end_of_life(cloud: Cloud) -> None:
    image_id, version = await built(cloud)
    end = datetime.now(UTC) + timedelta(days=90)
    blocked = offered(end_of_life=end, block_deletion=True)
    await cloud.gallery.set_publishing(image_id, version, blocked)
    await replicated(cloud, (image_id, version))

    with pytest.raises(RefusedError, match="BlockedBeforeEndOfLife"):
        await cloud.gallery.delete(image_id, version)
    unblocked = offered(block_deletion=False)
    await cloud.gallery.set_publishing(image_id, version, unblocked)
    await replicated(cloud, (image_id, version))
    await cloud.gallery.delete(image_id, version)
    await gone(cloud, (image_id, version))
