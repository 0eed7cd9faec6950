"""What the steps may rely on when they ask the Marketplace."""

from dataclasses import replace

import pytest

from shared.errors import NotFoundError
from tests.contract.gateways.clouds import Cloud
from tests.contract.gateways.things import JAMMY, SOURCE_VERSION


async def test_every_version_is_listed(cloud: Cloud) -> None:
    cloud.publish(JAMMY, "22.04.202412010")

    listed = await cloud.marketplace.versions(JAMMY)

    assert {SOURCE_VERSION, "22.04.202412010"} <= set(listed)


@pytest.mark.parametrize("field", ["publisher", "offer", "sku"])
async def test_an_image_that_does_not_exist_is_said_to_be_missing(cloud: Cloud, field: str) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        await cloud.marketplace.versions(replace(JAMMY, **{field: "nobody"}))
