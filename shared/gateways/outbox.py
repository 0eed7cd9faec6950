"""Where messages and announcements go: storage queues and our Event Grid topic."""

import logging
import math
from collections.abc import Sequence
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from shared.announcements import EVENT_TYPE_BY_NAME
from shared.errors import RefusedError
from shared.gateways.clients import is_loopback
from shared.gateways.errors import translated
from shared.messages import Announcement, Command, Envelope, encode
from shared.settings import Settings
from shared.workflow import STEP_BY_NAME

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.messaging import CloudEvent
    from azure.eventgrid.aio import EventGridPublisherClient
    from azure.storage.queue.aio import QueueClient, QueueServiceClient

LONGEST_DELAY = timedelta(days=7)
"""Longest a queue hides a message
(https://learn.microsoft.com/rest/api/storageservices/put-message)."""

_NEVER = -1
"""Time to live of a message that does not expire."""
_BATCH = 200
"""Announcements per request: Event Grid takes up to 1 MB, ours are far below 5 KB each
(https://learn.microsoft.com/azure/event-grid/quotas-limits)."""
_RETRIES = 3
_BACKOFF_SECONDS = 1
_COMPLAINER = "azure.eventgrid._legacy._generated._serialization"


class StorageOutbox:
    """Storage queues, made when they are first needed, and the custom topic.

    *retries* is how often a request is sent again after a 5xx or a broken connection.
    """

    def __init__(
        self, settings: Settings, credential: "AsyncTokenCredential", *, retries: int = _RETRIES
    ) -> None:
        self._settings = settings
        self._credential = credential
        self._retries = retries
        self._service: QueueServiceClient | None = None
        self._queues: dict[str, QueueClient] = {}
        self._publisher: EventGridPublisherClient | None = None

    async def send(
        self, command: Command, *, correlation_id: str, delay: timedelta, tries: int = 0
    ) -> None:
        """Put a command into the queue of its step, visible after *delay*, in whole seconds.

        Raises RefusedError for a delay longer than seven days, and BadMessageError for a command
        that is larger than a queue takes.
        """
        if delay > LONGEST_DELAY:
            raise RefusedError(
                f"a {command.kind} message cannot wait {delay}: a queue hides messages for at most "
                f"{LONGEST_DELAY.days} days; set a shorter time"
            )
        text = encode(Envelope(command=command, correlation_id=correlation_id, tries=tries))
        await self._send(STEP_BY_NAME[command.kind].queue, text, delay)

    async def put(self, queue: str, text: str) -> None:
        """Put *text* into a queue as it is, visible at once."""
        await self._send(queue, text, timedelta())

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Publish CloudEvents to our topic; no call when there is nothing to say."""
        # Over plain http the SDK sends no token unless it is told to; on this machine only.
        loopback = is_loopback(self._settings.topic_endpoint)
        options: dict[str, Any] = {"enforce_https": False} if loopback else {}
        for some in batched(announcements, _BATCH, strict=False):
            events = [self._event(a) for a in some]
            with translated(f"publish {len(events)} events to {self._settings.topic_endpoint}"):
                await self._topic().send(events, **options)

    async def close(self) -> None:
        """Close every connection; the credential stays open, it is not ours."""
        if self._service is not None:
            await self._service.close()
        if self._publisher is not None:
            await self._publisher.close()
        self._service, self._publisher = None, None
        self._queues.clear()

    async def _send(self, queue: str, text: str, delay: timedelta) -> None:
        client = self._queue(queue)
        wait = max(0, math.ceil(delay.total_seconds()))
        with translated(f"put a message into queue {queue}"):
            try:
                await client.send_message(text, visibility_timeout=wait, time_to_live=_NEVER)
            except ResourceNotFoundError:
                await self._create(client)
                await client.send_message(text, visibility_timeout=wait, time_to_live=_NEVER)

    async def _create(self, client: "QueueClient") -> None:
        try:
            await client.create_queue()
        except ResourceExistsError:
            # Another sender was first; a queue that is being deleted fails the next request.
            return

    def _queue(self, name: str) -> "QueueClient":
        if self._service is None:
            self._service = self._connect()
        if name not in self._queues:
            self._queues[name] = self._service.get_queue_client(name)
        return self._queues[name]

    def _connect(self) -> "QueueServiceClient":
        from azure.storage.queue.aio import QueueServiceClient  # noqa: PLC0415 - heavy

        storage = self._settings.storage
        options: dict[str, Any] = {
            "retry_total": self._retries,
            "initial_backoff": _BACKOFF_SECONDS,
            "increment_base": 2,
            "random_jitter_range": 1,
        }
        if storage.connection_string:
            return QueueServiceClient.from_connection_string(storage.connection_string, **options)
        return QueueServiceClient(storage.queue_uri, self._credential, **options)

    def _topic(self) -> "EventGridPublisherClient":
        from azure.eventgrid.aio import EventGridPublisherClient  # noqa: PLC0415 - heavy

        if self._publisher is None:
            self._publisher = EventGridPublisherClient(
                self._settings.topic_endpoint, self._credential, retry_total=self._retries
            )
            if is_loopback(self._settings.topic_endpoint):
                # The SDK takes `enforce_https` for a field of each event, and complains of it.
                logging.getLogger(_COMPLAINER).setLevel(logging.ERROR)
        return self._publisher

    def _schema(self, name: str) -> str | None:
        """Return the address of the schema of an event: under our own where we know it."""
        kind = EVENT_TYPE_BY_NAME.get(name)
        if kind is None:
            return None
        base = self._settings.public_url
        return f"{base}/api/v1/schemas/events/{kind.schema_name}" if base else kind.urn

    def _event(self, announcement: Announcement) -> "CloudEvent[dict[str, Any]]":
        from azure.core.messaging import CloudEvent  # noqa: PLC0415 - heavy

        group = f"{self._settings.subscription_id}/{self._settings.resource_group}"
        return CloudEvent(
            source=f"/assay/{group}",
            type=f"Assay.{announcement.name}",
            subject=announcement.subject,
            id=announcement.event_id,
            data=announcement.data,
            dataschema=self._schema(announcement.name),
        )
