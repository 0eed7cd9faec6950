"""Event subscriptions: which events go where, and in which schema."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Literal

from azure.core.exceptions import AzureError
from azure.storage.queue.aio import QueueClient

from localcloud.arm.events import Event
from localcloud.arm.store import Json

type Stream = Literal["resources", "policy", "topic"]
type Schema = Literal["eventgrid", "cloudevents"]
_AT_ONCE = 8  # deliveries to one destination at the same time


@dataclass
class QueueSink:
    """A storage queue as a destination; one event per message."""

    client: QueueClient
    base64: bool = False

    async def put(self, text: str) -> tuple[str, bool] | None:
        """None when stored; else why not, and whether that is final."""
        try:
            await self.client.send_message(text)
        except (AzureError, ValueError) as error:
            return type(error).__name__, isinstance(error, ValueError)
        return None


@dataclass
class EventSubscription:
    """One subscription; an empty filter lets everything of its stream through."""

    name: str
    source: Stream
    endpoint_url: str | None = None
    queue: QueueSink | None = None
    schema: Schema = "eventgrid"
    event_types: frozenset[str] = frozenset()
    operation_names: frozenset[str] = frozenset()
    subject_begins_with: str = ""
    max_attempts: int = 30
    lane: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def wants(self, event: Event) -> bool:
        """True for an event of the right stream that passes the filters (case-insensitive)."""
        operation = str(event.data.get("operationName", "")).lower()
        return (
            event.stream == self.source
            and (not self.event_types or event.type in self.event_types)
            and (
                not self.operation_names
                or operation in {name.lower() for name in self.operation_names}
            )
            and event.subject.lower().startswith(self.subject_begins_with.lower())
        )

    def render(self, event: Event) -> Json:
        """The event in this subscription's schema."""
        if self.schema == "cloudevents":
            return event.as_cloud_event()
        return event.as_event_grid()

    def payload(self, event: Event) -> tuple[str, str]:
        """Body and content type of a webhook call: a batch of one, or a single CloudEvent."""
        if self.schema == "cloudevents":
            return json.dumps(self.render(event)), "application/cloudevents+json; charset=utf-8"
        return json.dumps([self.render(event)]), "application/json; charset=utf-8"

    def describe(self) -> Json:
        """What to show of this subscription."""
        return {
            "name": self.name,
            "source": self.source,
            "destination": self.endpoint_url or "storage queue",
            "schema": self.schema,
            "eventTypes": sorted(self.event_types),
            "operationNames": sorted(self.operation_names),
        }

    async def close(self) -> None:
        """Close the connection to a queue."""
        if self.queue is not None:
            await self.queue.client.close()
