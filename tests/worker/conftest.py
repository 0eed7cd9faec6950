"""The app in the real worker library, over ports in memory: no host, no network."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from localcloud.host.bindings import Function, read_functions
from localcloud.host.protos import TypedData
from localcloud.host.worker import Outcome, Worker
from shared import runtime
from tests.fakes.world import World
from tests.settings import APP_ENVIRON

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class LoadedApp:
    """The app as the worker library indexed it."""

    worker: Worker
    functions: dict[str, Function]
    world: World

    async def invoke(
        self, name: str, data: TypedData, metadata: dict[str, Any] | None = None
    ) -> Outcome:
        """Invoke a function with its trigger's data, as a host does."""
        function = self.functions[name]
        fields = {key: TypedData(json=value) for key, value in (metadata or {}).items()}
        return await self.worker.invoke(function.id, {function.trigger.name: data}, fields)


@pytest.fixture(scope="module")
def app_settings() -> Iterator[None]:
    """Give the process the app's settings, and take them back."""
    before = dict(os.environ)
    os.environ.update(APP_ENVIRON)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker(app_settings: None) -> AsyncIterator[tuple[Worker, dict[str, Function]]]:
    """Load the app once."""
    async with Worker(ROOT, packages=(), before_stop=runtime.close) as loaded:
        functions = read_functions(await loaded.load(), APP_ENVIRON)
        yield loaded, {f.name: f for f in functions}


@pytest.fixture
def app(worker: tuple[Worker, dict[str, Function]]) -> LoadedApp:
    """Return the app over a new world in memory."""
    world = World()
    runtime.install(world.runtime())
    return LoadedApp(worker=worker[0], functions=worker[1], world=world)
