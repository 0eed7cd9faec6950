"""The register under test: in memory, and over Table Storage (the emulator)."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from azure.data.tables.aio import TableClient

from localcloud.azurite import Azurite
from shared.records.records import Records
from shared.settings import Storage
from tests.fakes.records import MemoryRecords

type MakeRecords = Callable[..., Records]
type OpenTable = Callable[[str], TableClient]


@pytest.fixture
def prefix() -> str:
    """What the names of this test's tables start with."""
    return f"T{uuid4().hex[:16]}"


@pytest_asyncio.fixture
async def make_table_records(azurite: Azurite, prefix: str) -> AsyncIterator[MakeRecords]:
    """Make registers over the same tables, which no other test uses; options go to the client."""
    storage = Storage(connection_string=azurite.connection_string)
    made: list[Records] = []

    def make(**options: Any) -> Records:
        # Else the client reads ~/.netrc in a thread of its own before every request.
        made.append(Records(storage, prefix=prefix, use_env_settings=False, **options))
        return made[-1]

    yield make
    for records in made:
        await records.close()


@pytest_asyncio.fixture
async def open_table(azurite: Azurite, prefix: str) -> AsyncIterator[OpenTable]:
    """Open a table of this test past the register."""
    opened: list[TableClient] = []

    def open_one(name: str) -> TableClient:
        opened.append(
            TableClient.from_connection_string(azurite.connection_string, f"{prefix}{name}")
        )
        return opened[-1]

    yield open_one
    for client in opened:
        await client.close()


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.azurite)])
def make_records(request: pytest.FixtureRequest) -> Callable[[], Records | MemoryRecords]:
    if request.param == "memory":
        return MemoryRecords
    make: MakeRecords = request.getfixturevalue("make_table_records")
    return make


@pytest.fixture
def records(make_records: Callable[[], Records | MemoryRecords]) -> Records | MemoryRecords:
    return make_records()


@pytest.fixture
def table_records(make_table_records: MakeRecords) -> Records:
    return make_table_records()
