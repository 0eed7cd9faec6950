"""Controls of events: what was sent, and who is subscribed."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from azure.storage.queue.aio import QueueClient
from pydantic import Field

from localcloud.arm.control_table import Body, Table
from localcloud.arm.store import Json
from localcloud.arm.subscriptions import EventSubscription, QueueSink

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


class _Queue(Body):
    connection_string: str
    name: str
    base64: bool = False


class _Subscribe(Body):
    name: str
    source: Literal["resources", "policy", "topic"]
    endpoint_url: str | None = None
    queue: _Queue | None = None
    event_schema: Literal["eventgrid", "cloudevents"] = Field(default="eventgrid", alias="schema")
    event_types: tuple[str, ...] = ()
    operation_names: tuple[str, ...] = ()
    subject_begins_with: str = ""
    max_attempts: int = Field(default=30, ge=1, le=30)


async def _events(cloud: "Cloud", _: Any) -> list[Json]:
    return [event.as_cloud_event() for event in cloud.events.log]


async def _dead_letters(cloud: "Cloud", _: Any) -> list[Json]:
    return [asdict(letter) for letter in cloud.events.dead_letters]


async def _subscriptions(cloud: "Cloud", _: Any) -> list[Json]:
    return [subscription.describe() for subscription in cloud.events.subscriptions]


async def _subscribe(cloud: "Cloud", body: Any) -> None:
    asked = _Subscribe.model_validate(body)
    sink = None
    if asked.queue is not None:
        client = QueueClient.from_connection_string(asked.queue.connection_string, asked.queue.name)
        sink = QueueSink(client, base64=asked.queue.base64)
    await cloud.events.subscribe(
        EventSubscription(
            name=asked.name,
            source=asked.source,
            endpoint_url=asked.endpoint_url,
            queue=sink,
            schema=asked.event_schema,
            event_types=frozenset(asked.event_types),
            operation_names=frozenset(asked.operation_names),
            subject_begins_with=asked.subject_begins_with,
            max_attempts=asked.max_attempts,
        )
    )


async def _unsubscribe_all(cloud: "Cloud", _: Any) -> None:
    for subscription in cloud.events.subscriptions:
        await cloud.events.unsubscribe(subscription.name)


TABLE: Table = {
    ("GET", "/events"): _events,
    ("GET", "/dead-letters"): _dead_letters,
    ("GET", "/subscriptions"): _subscriptions,
    ("POST", "/subscriptions"): _subscribe,
    ("DELETE", "/subscriptions"): _unsubscribe_all,
}
