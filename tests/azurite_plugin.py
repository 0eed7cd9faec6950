"""Session fixture `azurite`: one Azurite per test process, in memory, on ports of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from localcloud.azurite import Azurite
from localcloud.errors import NodeMissingError


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def azurite() -> AsyncIterator[Azurite]:
    """A running Azurite. Use `.connection_string`, and names of your own for queues and tables."""
    emulator = Azurite()
    try:
        await emulator.__aenter__()
    except NodeMissingError as error:
        pytest.skip(str(error))
    try:
        yield emulator
    finally:
        await emulator.__aexit__(None, None, None)
