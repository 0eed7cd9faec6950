"""Starts the sample app in a host of its own, with queues nobody else uses."""

import asyncio
import json
import shutil
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest
from azure.storage.queue.aio import QueueClient

from localcloud.azurite import Azurite
from localcloud.host import FunctionsHost, HostOptions

SAMPLE_APP = Path(__file__).parent / "sample_app" / "function_app.py"
NEVER = "0 0 0 1 1 *"


class Sample:
    """A host that runs the sample app, and the means to look at both."""

    def __init__(self, host: FunctionsHost, http: aiohttp.ClientSession, storage: str) -> None:
        self.host = host
        self.http = http
        self._storage = storage

    def seen(self, function: str) -> list[Any]:
        """What a function was called with, in order."""
        return [given for name, given in sys.modules["function_app"].SEEN if name == function]

    async def wait_for(self, function: str, times: int = 1) -> None:
        """Return once a function has been called that often."""
        async with asyncio.timeout(10):
            while True:
                if len(self.seen(function)) >= times:
                    return
                await asyncio.sleep(0.02)

    def queue(self, name: str) -> QueueClient:
        """One of the app's queues, by its name without prefix."""
        return QueueClient.from_connection_string(self._storage, f"{self.prefix}-{name}")

    @property
    def prefix(self) -> str:
        (relay,) = (function for function in self.host.functions if function.name == "relay")
        return relay.trigger.queue_name.removesuffix("-in")

    async def send(self, body: str, queue: str = "in") -> None:
        """Put a text on a queue as it is."""
        async with self.queue(queue) as client:
            await client.send_message(body)

    async def messages(self, queue: str) -> list[str]:
        """The texts visible on a queue, as they are stored."""
        async with self.queue(queue) as client:
            return [message.content for message in await client.peek_messages(max_messages=32)]


class StartSample(Protocol):
    def __call__(
        self,
        *,
        queues: dict[str, Any] | None = None,
        host_json: dict[str, Any] | None = None,
        options: HostOptions | None = None,
    ) -> AbstractAsyncContextManager[Sample]: ...


@pytest.fixture
def start_sample(azurite: Azurite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StartSample:
    """Start the sample app; `queues` are settings for host.json over quick defaults."""
    monkeypatch.setenv("SAMPLE_PREFIX", f"s{uuid.uuid4().hex[:12]}")
    monkeypatch.setenv("SAMPLE_SCHEDULE", NEVER)
    monkeypatch.setenv("SampleStorage", azurite.connection_string)

    @asynccontextmanager
    async def start(
        *,
        queues: dict[str, Any] | None = None,
        host_json: dict[str, Any] | None = None,
        options: HostOptions | None = None,
    ) -> AsyncIterator[Sample]:
        quick = {"maxPollingInterval": "00:00:00.2", "messageEncoding": "none", **(queues or {})}
        content = {"version": "2.0", "extensions": {"queues": quick}} | (host_json or {})
        app_dir = tmp_path / "app"
        app_dir.mkdir(exist_ok=True)
        (app_dir / "host.json").write_text(json.dumps(content))
        shutil.copy(SAMPLE_APP, app_dir)
        chosen = options or HostOptions(run_timers=False)
        async with (
            FunctionsHost(app_dir, options=chosen) as host,
            aiohttp.ClientSession(host.base_url) as http,
        ):
            yield Sample(host, http, azurite.connection_string)

    return start


@pytest.fixture
async def sample(start_sample: StartSample) -> AsyncIterator[Sample]:
    """The sample app, running, with quick polls and plain messages."""
    async with start_sample() as running:
        yield running
