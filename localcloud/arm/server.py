"""The simulator as a server on the loopback interface."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self
from uuid import uuid4

from aiohttp import web
from azure.storage.queue.aio import QueueClient

from localcloud.arm import control, event_grid, identity, staging
from localcloud.arm.api import FrontDoor
from localcloud.arm.cloud import DEFAULT_SUBSCRIPTION, Cloud, Options
from localcloud.arm.errors import SimulatorStateError
from localcloud.arm.faults import Fault
from localcloud.arm.guest_commands import GuestRule
from localcloud.arm.subscriptions import EventSubscription, QueueSink, Schema, Stream

_HOST = "127.0.0.1"
_LONGEST_BODY = 4 * 1024 * 1024
_LOOK_SECONDS = 0.01


class ArmSimulator:
    """`async with ArmSimulator() as sim:` serves a simulated cloud at `sim.base_url`."""

    def __init__(self, port: int = 0, options: Options | None = None) -> None:
        self._port = port
        self.cloud = Cloud(options or Options())
        self._runner: web.AppRunner | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._url = ""

    @property
    def base_url(self) -> str:
        """Where it listens, such as `http://127.0.0.1:40123`."""
        if not self._url:
            raise SimulatorStateError("The simulator is not running.")
        return self._url

    @property
    def subscription_id(self) -> str:
        """The first of its subscriptions."""
        return self.cloud.options.subscriptions[0]

    def topic_endpoint(self, topic: str = "assay") -> str:
        """The publishing endpoint of a custom topic."""
        return f"{self.base_url}/topics/{topic}/api/events"

    def identity_environment(self) -> dict[str, str]:
        """The variables by which azure-identity finds the managed identity endpoint."""
        return {
            "IDENTITY_ENDPOINT": f"{self.base_url}{identity.PATH}",
            "IDENTITY_HEADER": self.cloud.options.identity_header,
        }

    async def start(self) -> None:
        """Listen; port 0 picks a free one."""
        app = web.Application(client_max_size=_LONGEST_BODY)
        control.add_routes(app, self.cloud)
        event_grid.add_routes(app, self.cloud)
        identity.add_routes(app, self.cloud)
        staging.add_routes(app, self.cloud)
        app.router.add_route("*", "/{path:.*}", FrontDoor(self.cloud).handle)
        # Signed operation URLs are long, and a client may send several such headers.
        self._runner = web.AppRunner(app, access_log=None, max_line_size=32_768)
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, self._port).start()
        port = self._runner.addresses[0][1]
        self._url = f"http://{_HOST}:{port}"
        await self.cloud.events.open()
        self._ticking = asyncio.create_task(self.cloud.scheduler.run())

    async def stop(self) -> None:
        """Stop listening and delivering."""
        if self._ticking is not None:
            self._ticking.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticking
        await self.cloud.events.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def subscribe(
        self,
        *,
        source: Stream,
        endpoint_url: str | None = None,
        queue: QueueClient | None = None,
        base64: bool = False,
        schema: Schema = "eventgrid",
        name: str | None = None,
        event_types: frozenset[str] = frozenset(),
        operation_names: frozenset[str] = frozenset(),
        subject_begins_with: str = "",
        max_attempts: int = 30,
    ) -> str:
        """Deliver events of a stream to a webhook or a storage queue; returns the name.

        Raises HandshakeError where a webhook does not consent.
        """
        subscription = EventSubscription(
            name=name or f"{source}-{uuid4().hex[:8]}",
            source=source,
            endpoint_url=endpoint_url,
            queue=QueueSink(queue, base64=base64) if queue is not None else None,
            schema=schema,
            event_types=event_types,
            operation_names=operation_names,
            subject_begins_with=subject_begins_with,
            max_attempts=max_attempts,
        )
        await self.cloud.events.subscribe(subscription)
        return subscription.name

    def publish_version(self, publisher: str, offer: str, sku: str, version: str) -> None:
        """Publish a version in the simulated Marketplace."""
        self.cloud.marketplace.publish(publisher, offer, sku, version)

    def add_fault(self, fault: Fault) -> None:
        """Put a fault in force."""
        self.cloud.faults.add(fault)

    def add_guest_rule(self, rule: GuestRule) -> None:
        """Put a guest rule in force."""
        self.cloud.guest_rules.add(rule)

    async def settle(self, seconds: float = 5.0) -> None:
        """Wait (real seconds) until nothing is due and every event has arrived."""
        async with asyncio.timeout(seconds):
            self.cloud.scheduler.run_due()
            await asyncio.sleep(0)
            while self.cloud.events.busy:
                await asyncio.sleep(_LOOK_SECONDS)
                self.cloud.scheduler.run_due()


__all__ = ["DEFAULT_SUBSCRIPTION", "ArmSimulator", "Options"]
