"""Pytest fixtures: a simulated Azure Resource Manager per test, and the real SDKs pointed at it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy
from azure.mgmt.imagebuilder.aio import ImageBuilderClient

from localcloud.arm import ArmSimulator, Dial, Options

SCOPE = "https://management.azure.com/.default"


class FixedToken:
    """An async credential with a token that no one issued."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("a-token", 4_102_444_800)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> "FixedToken":
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.close()


class LoopbackAuthentication(AsyncARMChallengeAuthenticationPolicy):
    """Resource Manager's own authentication, but willing to speak plain http to loopback."""

    async def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context.options["enforce_https"] = False
        await super().on_request(request)


def client_options(sim: ArmSimulator) -> dict[str, Any]:
    """Constructor keywords for any azure-mgmt aio client that is to talk to `sim`."""
    credential = FixedToken()
    return {
        "credential": credential,
        "base_url": sim.base_url,
        "authentication_policy": LoopbackAuthentication(credential, SCOPE),
        "polling_interval": 0,
        "retry_total": 0,
    }


@pytest.fixture
async def arm() -> AsyncIterator[ArmSimulator]:
    """A simulated cloud in which everything asynchronous is done by the next look."""
    async with ArmSimulator() as sim:
        yield sim


@pytest.fixture
async def slow_arm() -> AsyncIterator[ArmSimulator]:
    """A simulated cloud whose time stands still until it is advanced."""
    async with ArmSimulator(options=Options(dial=Dial.MANUAL)) as sim:
        yield sim


@pytest.fixture
async def compute(arm: ArmSimulator) -> AsyncIterator[ComputeManagementClient]:
    """The real compute SDK, talking to `arm`."""
    async with ComputeManagementClient(
        subscription_id=arm.subscription_id, **client_options(arm)
    ) as client:
        yield client


@pytest.fixture
async def image_builder(arm: ArmSimulator) -> AsyncIterator[ImageBuilderClient]:
    """The real Image Builder SDK, talking to `arm`."""
    async with ImageBuilderClient(
        subscription_id=arm.subscription_id, **client_options(arm)
    ) as client:
        yield client
