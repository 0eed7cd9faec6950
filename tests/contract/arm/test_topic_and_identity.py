"""The custom topic and the managed identity endpoint, through their own SDKs."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent
from azure.eventgrid.aio import EventGridPublisherClient
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.compute.aio import ComputeManagementClient

from localcloud.arm import ArmSimulator
from tests.arm_plugin import SCOPE, LoopbackAuthentication
from tests.contract.arm.webhook import serve_webhook


@pytest.fixture
async def topic(arm: ArmSimulator) -> AsyncIterator[Any]:
    async with EventGridPublisherClient(
        arm.topic_endpoint(), AzureKeyCredential("a-key"), retry_total=0
    ) as client:
        yield client


async def test_what_is_published_arrives_as_it_was_written(arm: ArmSimulator, topic: Any) -> None:
    event = CloudEvent(
        source="/assay",
        type="Assay.SourceVersionPublished",
        subject="ubuntu",
        data={"version": "1"},
        extensions={"traceparent": "00-1"},
    )
    async with serve_webhook() as webhook:
        await arm.subscribe(source="topic", endpoint_url=webhook.url, schema="cloudevents")

        await topic.send([event])
        await arm.settle()

        (received,) = webhook.received
    assert received["id"] == event.id
    assert received["type"] == "Assay.SourceVersionPublished"
    assert received["data"] == {"version": "1"}
    assert received["traceparent"] == "00-1"


async def test_the_topic_takes_cloud_events_only(topic: Any) -> None:
    event = EventGridEvent(subject="s", event_type="t", data={}, data_version="1")

    with pytest.raises(HttpResponseError, match="CloudEvents"):
        await topic.send([event])


async def test_a_managed_identity_gets_a_token_that_resource_manager_takes(
    arm: ArmSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in arm.identity_environment().items():
        monkeypatch.setenv(name, value)
    async with ManagedIdentityCredential() as credential:
        token = await credential.get_token(SCOPE)
        async with ComputeManagementClient(
            credential,
            arm.subscription_id,
            arm.base_url,
            authentication_policy=LoopbackAuthentication(credential, SCOPE),
            retry_total=0,
        ) as compute:
            galleries = [gallery async for gallery in compute.galleries.list()]

    assert token.token.startswith("simulated.")
    assert galleries == []
