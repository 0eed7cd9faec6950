"""Listens to one queue for one function, with the delivery rules of the real queue trigger.

Rules: "Azure Queue storage trigger for Azure Functions", Microsoft Learn, and QueueListener and
QueueProcessor in https://github.com/Azure/azure-sdk-for-net (Storage extension for WebJobs).
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueMessage

from localcloud.errors import FunctionsHostError
from localcloud.host.bindings import Function
from localcloud.host.disorder import Disorder, Holds
from localcloud.host.invoker import Invoker
from localcloud.host.metadata import queue_metadata
from localcloud.host.protos import TypedData
from localcloud.host.settings import QueueSettings
from localcloud.host.storage import Queues, create, decode
from localcloud.host.tasks import Tasks

logger = logging.getLogger(__name__)

MIN_POLL_S = 0.1
LEASE_S = 600.0
POISON_SUFFIX = "-poison"


@dataclass(frozen=True)
class Delivery:
    """How messages are delivered; the defaults are Azure's.

    `lease` is for how long a message is hidden while its function runs, in seconds; it is renewed
    at half-time. `twice` delivers every message once more after it succeeded. `shuffle` is the
    seed of a random order: a batch is started in any order, and some deliveries are held back for
    a while, so that others come first.
    """

    lease: float = LEASE_S
    twice: bool = False
    shuffle: int | None = None


class QueueListener:
    """Polls one queue and invokes its function for each message."""

    def __init__(
        self,
        function: Function,
        *,
        queues: Queues,
        invoker: Invoker,
        tasks: Tasks,
        settings: QueueSettings,
        delivery: Delivery,
    ) -> None:
        binding = function.trigger
        self.queue_name = binding.queue_name
        self.client = queues.client(binding.connection, binding.queue_name)
        self._function = function
        self._connection = binding.connection
        self._queues = queues
        self._invoker = invoker
        self._tasks = tasks
        self._settings = settings
        self._delivery = delivery
        self._disorder = Disorder(delivery.shuffle, binding.queue_name)
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._receiving = False
        self._stopping = False
        queues.on_put(binding.connection, binding.queue_name, self._wake.set)

    @property
    def receiving(self) -> bool:
        """Whether it is asking for messages right now."""
        return self._receiving

    def pause(self) -> None:
        """Take no more messages until resumed."""
        self._open.clear()

    def resume(self) -> None:
        """Take messages again, at once."""
        self._open.set()
        self._wake.set()

    def stop(self) -> None:
        """Take no more messages and let `run` return."""
        self._stopping = True
        self.resume()

    async def prepare(self) -> None:
        """Create the queue when there is none. FunctionsHostError when storage will not have it."""
        try:
            await create(self.client)
        except AzureError as error:
            raise FunctionsHostError(
                f"{self._function.name}: queue {self.queue_name} cannot be created: {error.message}"
            ) from error

    async def run(self) -> None:
        """Poll until stopped: at once after a message, else ever more slowly up to the maximum."""
        pause = MIN_POLL_S
        while not self._stopping:
            self._wake.clear()
            if await self._take():
                pause = MIN_POLL_S
                await self._wait_for_room()
            elif await _set_within(self._wake, pause):
                pause = MIN_POLL_S
            else:
                longer = pause * 2 * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
                pause = min(longer, max(self._settings.max_polling_interval, MIN_POLL_S))
            await self._open.wait()

    async def _take(self) -> int:
        """Receive one batch and start on it; how many messages there were."""
        self._receiving = True
        try:
            messages = await self._receive()
            for message, holds in self._disorder.mix(messages):
                task = self._tasks.start(self._process(message, holds))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        finally:
            self._receiving = False
        return len(messages)

    async def _wait_for_room(self) -> None:
        while len(self._running) > self._settings.new_batch_threshold:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _receive(self) -> list[QueueMessage]:
        pages = self.client.receive_messages(
            messages_per_page=self._settings.batch_size,
            visibility_timeout=max(1, round(self._delivery.lease)),
        ).by_page()
        try:
            page = await anext(pages, None)
            return [message async for message in page] if page else []
        except AzureError as error:
            # As in Azure a storage failure costs time, not the listener.
            logger.warning("Queue %s could not be read: %s", self.queue_name, error)
            return []

    async def _process(self, message: QueueMessage, holds: Holds) -> None:
        dequeued = message.dequeue_count or 1
        text = decode(message.content, as_base64=self._settings.base64)
        if text is None or (dequeued > self._settings.max_dequeue_count and self._has_poison_queue):
            await self._to_poison(message)
            return
        async with self._lease(message):
            await asyncio.sleep(holds.first)
            succeeded = await self._invoke(message, text, dequeued)
            if succeeded and self._delivery.twice:
                await asyncio.sleep(holds.second)
                succeeded = await self._invoke(message, text, dequeued + 1)
        if succeeded:
            await self._delete(message)
        elif not self._has_poison_queue:
            return  # It stays hidden until its lease ends, which keeps a failing one from spinning.
        elif dequeued >= self._settings.max_dequeue_count:
            await self._to_poison(message)
        else:
            await self._show_again(message)

    async def _invoke(self, message: QueueMessage, text: str, dequeue_count: int) -> bool:
        metadata = queue_metadata(message, text, dequeue_count)
        outcome = await self._invoker.invoke(self._function, TypedData(string=text), metadata)
        return outcome.error is None

    @property
    def _has_poison_queue(self) -> bool:
        return not self.queue_name.endswith(POISON_SUFFIX)

    async def _to_poison(self, message: QueueMessage) -> None:
        """Copy the stored text, undecoded, to the poison queue; then delete the message."""
        if not self._has_poison_queue:
            logger.error("Message %s in %s cannot be decoded.", message.id, self.queue_name)
            return
        poison = self.queue_name + POISON_SUFFIX
        logger.error("Message %s goes to %s.", message.id, poison)
        await self._queues.put_raw(self._connection, poison, message.content)
        await self._delete(message)

    @asynccontextmanager
    async def _lease(self, message: QueueMessage) -> AsyncIterator[None]:
        done = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, done))
        try:
            yield
        finally:
            # Not cancelled: a renewal cut off half-way would leave us with an outdated receipt.
            done.set()
            await renewal

    async def _renew(self, message: QueueMessage, done: asyncio.Event) -> None:
        while not await _set_within(done, self._delivery.lease / 2):
            await self._hide(message, self._delivery.lease)

    async def _show_again(self, message: QueueMessage) -> None:
        await self._hide(message, self._settings.visibility_timeout)
        self._wake.set()

    async def _hide(self, message: QueueMessage, seconds: float) -> None:
        try:
            updated = await self.client.update_message(
                message.id, message.pop_receipt, visibility_timeout=round(seconds)
            )
        except AzureError as error:
            logger.warning("Message %s in %s was not kept: %s", message.id, self.queue_name, error)
        else:
            message.pop_receipt = updated.pop_receipt

    async def _delete(self, message: QueueMessage) -> None:
        try:
            await self.client.delete_message(message.id, message.pop_receipt)
        except ResourceNotFoundError:
            logger.warning("Message %s in %s was gone already.", message.id, self.queue_name)
        except HttpResponseError as error:
            if error.error_code != "PopReceiptMismatch":  # type: ignore[attr-defined]
                raise
            logger.warning("Message %s in %s was taken again.", message.id, self.queue_name)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
