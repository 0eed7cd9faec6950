"""SDK clients on a simulated cloud whose time stands still."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.imagebuilder.aio import ImageBuilderClient
from azure.mgmt.policyinsights.aio import PolicyInsightsClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient

from localcloud.arm import ArmSimulator
from tests.arm_plugin import client_options
from tests.contract.arm.requests import a_gallery, definition


@pytest.fixture
async def slow_compute(slow_arm: ArmSimulator) -> AsyncIterator[ComputeManagementClient]:
    async with ComputeManagementClient(
        subscription_id=slow_arm.subscription_id, **client_options(slow_arm)
    ) as client:
        yield client


@pytest.fixture
async def slow_builder(slow_arm: ArmSimulator) -> AsyncIterator[ImageBuilderClient]:
    async with ImageBuilderClient(
        subscription_id=slow_arm.subscription_id, **client_options(slow_arm)
    ) as client:
        yield client


@pytest.fixture
async def graph(arm: ArmSimulator) -> AsyncIterator[Any]:
    """The real Resource Graph SDK, talking to `arm`."""
    async with ResourceGraphClient(**client_options(arm)) as client:
        yield client


@pytest.fixture
async def policy(arm: ArmSimulator) -> AsyncIterator[Any]:
    """The real Policy Insights SDK, talking to `arm`."""
    async with PolicyInsightsClient(
        subscription_id=arm.subscription_id, **client_options(arm)
    ) as client:
        yield client


@pytest.fixture
async def gallery(compute: ComputeManagementClient) -> None:
    """A gallery `g` with the Linux definition `i`, in group `rg`."""
    await make_gallery(compute)


async def make_gallery(compute: ComputeManagementClient) -> None:
    await compute.galleries.begin_create_or_update("rg", "g", a_gallery())
    await compute.gallery_images.begin_create_or_update("rg", "g", "i", definition())
