"""What the steps may rely on when they send: the fake, and Azurite with a simulated topic."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol
from uuid import uuid4

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from localcloud.arm import ArmSimulator
from localcloud.azurite import Azurite
from shared.errors import BadMessageError, RefusedError
from shared.gateways.outbox import StorageOutbox
from shared.messages import Announcement, Envelope, JudgeVm, TrackVm, decode, encode, load_json
from shared.ports import Outbox
from tests.arm_plugin import FixedToken
from tests.contract.gateways import things
from tests.fakes.outbox import FakeOutbox

TRACK = TrackVm(resource_id="/subscriptions/s/resourceGroups/rg/providers/x/y/vm1")
ENDED: dict[str, Any] = {
    "build": "ubuntu-2204-1", "definition": "ubuntu-2204", "version": "1.20261122.1",
    "source": "canonical:jammy:lts", "sourceVersion": "22.04.1", "attempts": 1, "repairs": [],
    "failedChecks": [], "reason": "", "at": "2026-11-22T12:00:00+00:00",
}  # fmt: skip
PUBLISHED = Announcement(
    name="ImagePublished", subject="ubuntu-2204/1.20261122.1", key="k", data=ENDED
)
REJECTED = Announcement(
    name="ImageRejected", subject="ubuntu-2204/1.20261122.2", key="k", data={**ENDED, "attempts": 3}
)
NOW = timedelta()


class Post(Protocol):
    """An outbox, and what arrives where it sends."""

    @property
    def outbox(self) -> Outbox: ...

    async def visible(self, queue: str) -> list[str]: ...

    async def hidden(self, queue: str) -> int: ...

    async def events(self) -> list[dict[str, Any]]: ...


class MemoryPost:
    """The fake."""

    def __init__(self) -> None:
        self.outbox = FakeOutbox()

    async def visible(self, queue: str) -> list[str]:
        sent = [
            encode(Envelope(command=s.command, correlation_id=s.correlation_id, tries=s.tries))
            for s in self.outbox.sent
            if s.command.kind.replace("_", "-") == queue and not s.delay
        ]
        return [*sent, *(text for name, text in self.outbox.texts if name == queue)]

    async def hidden(self, queue: str) -> int:
        kinds = [s.command.kind.replace("_", "-") for s in self.outbox.sent if s.delay]
        return kinds.count(queue)

    async def events(self) -> list[dict[str, Any]]:
        return [
            {"id": a.event_id, "type": f"Assay.{a.name}", "subject": a.subject, "data": a.data}
            for a in self.outbox.announced
        ]


class RealPost:
    """Azurite's queues, and a simulated topic that delivers into one of them."""

    def __init__(
        self, outbox: StorageOutbox, service: QueueServiceClient, arm: ArmSimulator
    ) -> None:
        self.outbox = outbox
        self._service = service
        self._arm = arm
        self._inbox: QueueClient | None = None

    async def open(self) -> None:
        """Empty what other tests left, and subscribe to the topic."""
        for queue in ("track-vm", "judge-vm"):
            try:
                await self._service.get_queue_client(queue).clear_messages()
            except ResourceNotFoundError:
                continue
        self._inbox = await self._service.create_queue(f"inbox-{uuid4().hex}")
        await self._arm.subscribe(source="topic", queue=self._inbox, schema="cloudevents")

    async def visible(self, queue: str) -> list[str]:
        return await _texts(self._service.get_queue_client(queue))

    async def hidden(self, queue: str) -> int:
        client = self._service.get_queue_client(queue)
        there = (await client.get_queue_properties()).approximate_message_count or 0
        return there - len(await _texts(client))

    async def events(self) -> list[dict[str, Any]]:
        wanted = ("id", "type", "subject", "data")
        return [{key: e.get(key) for key in wanted} for e in await self.cloud_events()]

    async def arrived(self) -> int:
        """How many events arrived."""
        await self._arm.settle()
        assert self._inbox is not None
        return (await self._inbox.get_queue_properties()).approximate_message_count or 0

    async def cloud_events(self) -> list[dict[str, Any]]:
        """What arrived, whole."""
        await self._arm.settle()
        assert self._inbox is not None
        return [load_json(text) for text in await _texts(self._inbox)]


async def _texts(client: QueueClient) -> list[str]:
    return [m.content for m in await client.peek_messages(max_messages=32)]


@pytest.fixture
async def real(arm: ArmSimulator, azurite: Azurite) -> AsyncIterator[RealPost]:
    settings = things.settings(
        arm=arm.base_url,
        subscription=arm.subscription_id,
        topic=arm.topic_endpoint(),
        storage=azurite.connection_string,
    )
    outbox = StorageOutbox(settings, FixedToken(), retries=0)
    async with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        post = RealPost(outbox, service, arm)
        await post.open()
        yield post
    await outbox.close()


@pytest.fixture(params=["fake", pytest.param("Azurite", marks=pytest.mark.azurite)])
def post(request: pytest.FixtureRequest, real: RealPost) -> Post:
    return real if request.param == "Azurite" else MemoryPost()


async def test_a_command_waits_in_the_queue_of_its_step(post: Post) -> None:
    await post.outbox.send(TRACK, correlation_id="c-1", delay=NOW, tries=2)

    [text] = await post.visible("track-vm")

    assert decode(load_json(text)) == Envelope(command=TRACK, correlation_id="c-1", tries=2)


async def test_a_delayed_command_is_not_seen_before_its_time(post: Post) -> None:
    await post.outbox.send(TRACK, correlation_id="c-1", delay=timedelta(minutes=5))

    assert await post.visible("track-vm") == []
    assert await post.hidden("track-vm") == 1


async def test_seven_days_is_the_longest_delay(post: Post) -> None:
    await post.outbox.send(TRACK, correlation_id="c-1", delay=timedelta(days=7))

    with pytest.raises(RefusedError, match="track_vm message cannot wait 7 days, 0:00:01"):
        await post.outbox.send(TRACK, correlation_id="c", delay=timedelta(days=7, seconds=1))
    assert await post.hidden("track-vm") == 1


async def test_a_command_larger_than_a_queue_takes_is_not_sent(post: Post) -> None:
    crowd = JudgeVm(vm_keys=tuple(f"{n:036}" for n in range(2000)), because="a test")

    with pytest.raises(BadMessageError, match="judge_vm"):
        await post.outbox.send(crowd, correlation_id="c-1", delay=NOW)


async def test_a_text_is_put_into_a_queue_as_it_is_even_a_new_one(post: Post) -> None:
    queue = f"parked-{uuid4().hex}"
    text = '{"kind": "track_vm", "note": "<&> grün"}'

    await post.outbox.put(queue, text)

    assert await post.visible(queue) == [text]


async def test_announcements_arrive_under_ids_of_their_own(post: Post) -> None:
    await post.outbox.announce([PUBLISHED, REJECTED])

    arrived = {e["id"]: e for e in await post.events()}

    assert arrived == {
        PUBLISHED.event_id: {
            "id": PUBLISHED.event_id,
            "type": "Assay.ImagePublished",
            "subject": "ubuntu-2204/1.20261122.1",
            "data": ENDED,
        },
        REJECTED.event_id: {
            "id": REJECTED.event_id,
            "type": "Assay.ImageRejected",
            "subject": "ubuntu-2204/1.20261122.2",
            "data": {**ENDED, "attempts": 3},
        },
    }


async def test_nothing_to_announce_is_announced_to_nobody(post: Post) -> None:
    await post.outbox.announce([])

    assert await post.events() == []


@pytest.mark.azurite
async def test_an_announcement_is_a_cloud_event_of_this_deployment(
    real: RealPost, arm: ArmSimulator
) -> None:
    await real.outbox.announce([PUBLISHED])

    [event] = await real.cloud_events()

    assert event["specversion"] == "1.0"
    assert event["source"] == f"/assay/{arm.subscription_id}/rg-assay"
    assert event["dataschema"] == "urn:assay:events:ImagePublished:v1"


@pytest.mark.azurite
async def test_an_announcement_names_its_schema_at_our_own_address_where_we_know_it(
    real: RealPost, arm: ArmSimulator, azurite: Azurite
) -> None:
    settings = things.settings(
        arm=arm.base_url,
        subscription=arm.subscription_id,
        topic=arm.topic_endpoint(),
        storage=azurite.connection_string,
    )
    here = replace(settings, public_url="https://assay.example")
    outbox = StorageOutbox(here, FixedToken(), retries=0)
    await outbox.announce([PUBLISHED])
    await outbox.close()

    [event] = await real.cloud_events()

    assert event["dataschema"] == (
        "https://assay.example/api/v1/schemas/events/ImagePublished.v1.json"
    )


@pytest.mark.azurite
async def test_more_announcements_than_one_request_takes_all_arrive(
    real: RealPost, arm: ArmSimulator
) -> None:
    many = [Announcement(name="VmVerdictChanged", subject=f"vm{n}", key="k") for n in range(205)]

    await real.outbox.announce(many)

    assert await real.arrived() == 205
