"""The whole product on this machine: Azurite, simulated Azure, the app in the Functions host."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.storage.queue.aio import QueueClient

from localcloud.arm import ArmSimulator
from localcloud.arm.cloud import Options
from localcloud.azurite import Azurite
from localcloud.compose import EVENT_FUNCTIONS
from localcloud.environment import (
    GALLERY,
    IDENTITY_HEADER,
    LOCATION,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    TEAMS_SUBSCRIPTION,
    Addresses,
    app_environment,
)
from localcloud.guests import passing_reports
from localcloud.host import FunctionsHost, HostOptions
from localcloud.scenario.clients import GALLERY_API, Assay, Azure, Http, Simulation
from localcloud.signing_key import signing_key
from shared import runtime
from shared.definitions import load_definitions

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 60.0
SPEED = 1000.0
"""The app's waits are divided by this, down to the least a queue can keep."""
SHUFFLE_SEED = 20
"""The order of queue messages is random, and the same in every run."""

type Json = dict[str, Any]


@dataclass
class Chat:
    """A chat channel behind a webhook on this machine."""

    messages: list[Json] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Take a message, as Teams does."""
        self.messages.append(await request.json())
        return web.Response(status=202)

    def texts(self) -> list[str]:
        """Return the title of every card."""
        bodies = [m["attachments"][0]["content"]["body"] for m in self.messages]
        return [body[0]["inlines"][0]["text"] for body in bodies]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Take messages, and yield the address of the webhook."""
        app = web.Application()
        app.router.add_post("/hook", self.take)
        async with TestServer(app, host="127.0.0.1") as server:
            yield str(server.make_url("/hook"))


@dataclass
class LocalAssay:
    """The running product and the means to act on it and look at it."""

    host: FunctionsHost
    simulator: ArmSimulator
    http: aiohttp.ClientSession
    storage: str
    assay: Assay
    azure: Azure
    simulation: Simulation
    chat: Chat

    async def until[T](self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        """Look until there is something to see, and return it; else fail with *what*."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while (seen := await look()) is None:  # noqa: ASYNC110 - it is on a server
                    await asyncio.sleep(0.25)
        except TimeoutError:
            parked = [(m["queue"], m["reason"]) for m in await self.assay.parked()]
            pytest.fail(f"{what}: not seen in {WAIT_SECONDS} s; parked: {parked}")
        return seen

    async def finished(self, build_id: str) -> Json:
        """Return the build when it has come to its end."""

        async def look() -> Json | None:
            build = await self.assay.build(build_id)
            return build if build["phase"] in {"released", "rejected", "failed"} else None

        return await self.until(look, f"the end of build {build_id}")

    async def vm(self, name: str, **wanted: str | None) -> Json:
        """Return the record of a VM once the fields in *wanted* are as wanted."""

        async def look() -> Json | None:
            record = next((v for v in await self.assay.vms() if v["name"] == name), None)
            fits = record and all(record[field] == value for field, value in wanted.items())
            return record if fits else None

        return await self.until(look, f"VM {name} with {wanted}")

    async def put(self, queue: str, text: str) -> None:
        """Put a text into a queue as it is."""
        async with QueueClient.from_connection_string(self.storage, queue) as client:
            await client.send_message(text)

    async def host_event(self, event: Json) -> None:
        """Deliver an event of Azure Resource Manager to its trigger, as Event Grid does."""
        function = EVENT_FUNCTIONS["resources"]
        address = f"{self.host.base_url}/runtime/webhooks/eventgrid?functionName={function}"
        headers = {"aeg-event-type": "Notification"}
        async with self.http.post(address, json=[event], headers=headers) as answer:
            assert answer.status == 202, await answer.text()

    async def parked(self, marker: str) -> Json:
        """Return the parked message that holds *marker*."""

        async def look() -> Json | None:
            return next((m for m in await self.assay.parked() if marker in m["text"]), None)

        return await self.until(look, f"a parked message with {marker}")

    def events(self, kind: str) -> list[Json]:
        """Return what was published on the topic under the type `Assay.<kind>`."""
        return [
            event
            for event in (e.as_cloud_event() for e in self.simulator.cloud.events.log)
            if event.get("type") == f"Assay.{kind}"
        ]


@pytest.fixture
def unique() -> str:
    """Return a name nobody else uses."""
    return uuid.uuid4().hex[:10]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """Return the process's environment, put back as it was at the end."""
    before = dict(os.environ)
    yield os.environ  # type: ignore[misc]
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def more_settings() -> dict[str, str]:
    """Return the settings a module has besides those of the local cloud; it may say its own."""
    return {}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(
    environment: dict[str, str], more_settings: dict[str, str]
) -> AsyncIterator[LocalAssay]:
    """Run the product with every queue message delivered twice, and in any order."""
    async with AsyncExitStack() as stack:
        azurite = await stack.enter_async_context(Azurite())
        options = Options(
            subscriptions=(SUBSCRIPTION, TEAMS_SUBSCRIPTION), identity_header=IDENTITY_HEADER
        )
        simulator = await stack.enter_async_context(ArmSimulator(0, options))
        addresses = Addresses(
            storage=azurite.connection_string, arm=simulator.base_url, functions=""
        )
        environment.update(
            app_environment(
                addresses, time_scale=SPEED, signing_key=stack.enter_context(signing_key())
            )
        )
        environment.update(more_settings)
        chat = Chat()
        environment["ASSAY_NOTIFY_WEBHOOK"] = await stack.enter_async_context(chat.open())
        dials = HostOptions(
            deliver_twice=True,
            shuffle=SHUFFLE_SEED,
            max_polling_interval=0.5,
            run_timers=False,
            before_stop=runtime.close,
        )
        host = await stack.enter_async_context(FunctionsHost(ROOT, options=dials))
        for source, function in EVENT_FUNCTIONS.items():
            webhook = f"{host.base_url}/runtime/webhooks/eventgrid?functionName={function}"
            await simulator.subscribe(source=source, endpoint_url=webhook)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        azure = Azure(Http(http, simulator.base_url))
        await azure.sign_in()
        simulation = Simulation(Http(http, simulator.base_url))
        for rule in passing_reports(load_definitions(ROOT / "images").values()):
            await simulation.http.call("POST", "/_sim/guest-rules", dict(rule))
        gallery = (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}"
            f"/providers/Microsoft.Compute/galleries/{GALLERY}"
        )
        await azure.deploy(gallery, {"location": LOCATION, "properties": {}}, api=GALLERY_API)
        yield LocalAssay(
            host=host,
            simulator=simulator,
            http=http,
            storage=azurite.connection_string,
            assay=Assay(Http(http, host.base_url)),
            azure=azure,
            simulation=simulation,
            chat=chat,
        )
