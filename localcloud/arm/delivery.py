"""Event Grid's delivery: at least once, no order, retried with growing waits."""

import asyncio
import base64
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from localcloud.arm.clock import Dial
from localcloud.arm.events import Event, ResourceChange, change_event, noise_event
from localcloud.arm.faults import EventFault
from localcloud.arm.handshake import shake_hands
from localcloud.arm.store import Json
from localcloud.arm.subscriptions import EventSubscription, QueueSink

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

# Azure docs, "Event Grid message delivery and retry": seconds between tries, then every 12 hours.
_BACK_OFF = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200)
_FASTER = 100  # how much quicker waits pass where all is immediate
_NOT_RETRIED = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
_REPLY_SECONDS = 30
_KEPT = 10_000


@dataclass(frozen=True)
class DeadLetter:
    """An event that was given up."""

    subscription: str
    event: Json
    reason: str
    attempts: int


class EventGrid:
    """Takes events in, brings them to every subscription that wants them."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._subscriptions: dict[str, EventSubscription] = {}
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, list[Event]] = {}
        self._waiting = 0
        self.log: deque[Event] = deque(maxlen=_KEPT)
        self.dead_letters: list[DeadLetter] = []

    async def open(self) -> None:
        """Make ready to deliver."""
        timeout = aiohttp.ClientTimeout(total=_REPLY_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout)

    async def close(self) -> None:
        """Stop delivering; what is on its way is dropped."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for subscription in self._subscriptions.values():
            await subscription.close()
        if self._session is not None:
            await self._session.close()

    async def subscribe(self, subscription: EventSubscription) -> None:
        """Add a subscription; raises HandshakeError where the endpoint does not consent."""
        if subscription.endpoint_url is not None:
            await shake_hands(self._http(), subscription)
        self._subscriptions[subscription.name] = subscription

    async def unsubscribe(self, name: str) -> None:
        """Remove a subscription; unknown names are fine."""
        gone = self._subscriptions.pop(name, None)
        if gone is not None:
            await gone.close()

    @property
    def subscriptions(self) -> list[EventSubscription]:
        """All subscriptions."""
        return list(self._subscriptions.values())

    @property
    def busy(self) -> bool:
        """True while an event is on its way or waits for another try."""
        return bool(self._tasks) or self._waiting > 0

    async def sent(self) -> None:
        """Wait until what is on its way has arrived or was refused; retries are not waited for."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def clear(self) -> None:
        """Forget the past; subscriptions stay."""
        self.log.clear()
        self.dead_letters.clear()
        self._held.clear()
        self._waiting = 0

    def resource_changed(self, change: ResourceChange, status: str) -> None:
        """Publish what Azure publishes when a change has ended."""
        if change.creates and change.method == "PUT":
            self.publish(noise_event(self._cloud, change))
        self.publish(change_event(self._cloud, change, status))

    def publish(self, event: Event) -> None:
        """Bring an event to everyone who wants it, as the fault dial allows."""
        self.log.append(event)
        for subscription in self.subscriptions:
            if subscription.wants(event):
                fault = self._cloud.faults.event(event.type, event.subject)
                self._hand_over(subscription, event, fault)

    def _hand_over(
        self, subscription: EventSubscription, event: Event, fault: EventFault | None
    ) -> None:
        effect = fault.effect if fault else None
        if effect == "drop":
            return
        if fault is not None and effect == "delay":
            self._after(fault.delay_seconds, lambda: self._send(subscription, event, attempt=0))
            return
        if fault is not None and effect == "reorder":
            self._hold(fault.delay_seconds, subscription, event)
            return
        self._send(subscription, event, attempt=0)
        if effect == "duplicate":
            self._send(subscription, event, attempt=0)
        self._release(subscription)

    def _hold(self, seconds: float, subscription: EventSubscription, event: Event) -> None:
        """Keep an event until another has overtaken it, or for so long if none does."""
        self._held.setdefault(subscription.name, []).append(event)
        self._after(seconds, lambda: self._release(subscription))

    def _release(self, subscription: EventSubscription) -> None:
        for late in self._held.pop(subscription.name, []):
            self._send(subscription, late, attempt=0)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._waiting += 1

        def act() -> None:
            self._waiting = max(0, self._waiting - 1)
            action()

        wait = self._cloud.clock.span(seconds)
        if self._cloud.clock.dial is Dial.IMMEDIATE:
            wait /= _FASTER
        self._cloud.scheduler.after(wait, act)

    def _send(self, subscription: EventSubscription, event: Event, *, attempt: int) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(subscription, event, attempt))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, subscription: EventSubscription, event: Event, attempt: int) -> None:
        async with subscription.lane:
            refusal = await self._attempt(subscription, event, attempt)
        if refusal is None:
            return
        reason, final = refusal
        if final or attempt + 1 >= subscription.max_attempts:
            document = subscription.render(event)
            self.dead_letters.append(DeadLetter(subscription.name, document, reason, attempt + 1))
            return
        seconds = _BACK_OFF[min(attempt, len(_BACK_OFF) - 1)]
        self._after(seconds, lambda: self._send(subscription, event, attempt=attempt + 1))

    async def _attempt(
        self, subscription: EventSubscription, event: Event, attempt: int
    ) -> tuple[str, bool] | None:
        """None when delivered; else why not, and whether that is final."""
        if subscription.queue is not None:
            return await _enqueue(subscription.queue, subscription.render(event))
        url = subscription.endpoint_url
        if url is None:
            return "NoDestination", True
        body, content_type = subscription.payload(event)
        headers = {
            "aeg-event-type": "Notification",
            "aeg-subscription-name": subscription.name.upper(),
            "aeg-delivery-count": str(attempt),
            "Content-Type": content_type,
        }
        try:
            async with self._http().post(url, data=body, headers=headers) as response:
                status = HTTPStatus(response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__, False
        if status.is_success:
            return None
        return status.phrase, status in _NOT_RETRIED

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("Event delivery was used before it was opened.")
        return self._session


async def _enqueue(queue: QueueSink, document: Json) -> tuple[str, bool] | None:
    text = json.dumps(document)
    if queue.base64:
        text = base64.b64encode(text.encode()).decode()
    return await queue.put(text)
