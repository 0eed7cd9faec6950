"""Table Storage: one client for all tables, each table made on first use."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.errors import RefusedError
from shared.records.cursors import Position, read_cursor, write_cursor
from shared.records.entities import Column, Entity
from shared.records.failures import table_is_missing, translated
from shared.settings import Storage

MAX_OPERATIONS = 100
"""Rows one transaction may change ("Performing entity group transactions", Microsoft Learn)."""

MAX_PAGE = 1000
"""Rows Azure returns at most for one request ("Query Entities", Microsoft Learn)."""

_MAX_REQUESTS = 5
"""Requests one page may cost: Azure may answer a filtered query with few rows or none and a
token to go on with, and a reader in front of a browser waits only so long."""

type Operation = tuple[str, Entity] | tuple[str, Entity, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One query of a list: a filter with `@name` parameters."""

    query: str
    parameters: Mapping[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of a list, and the cursor for the rest; empty on the last page."""

    rows: tuple[TableEntity, ...]
    cursor: str


class Table:
    """One table; every method raises our errors, and makes the table when it is used first."""

    def __init__(self, client: TableClient) -> None:
        self._client = client
        self._exists = False

    async def ensure(self) -> None:
        """Create the table where it is missing; asked once per process."""
        if self._exists:
            return
        # It exists when another process made it, or an earlier life of this one.
        with translated(f"table {self._client.table_name}"), suppress(ResourceExistsError):
            await self._client.create_table()
        self._exists = True

    async def get(self, partition: str, row: str) -> TableEntity | None:
        """Read one row; None when there is none."""
        await self.ensure()
        with translated(self._name(partition, row)):
            try:
                return await self._client.get_entity(partition, row)
            except ResourceNotFoundError as error:
                if table_is_missing(error):
                    raise
                return None

    async def save(self, entity: Entity, etag: str) -> str:
        """Insert (no *etag*) or replace under *etag*; return the new ETag.

        Raises ConflictError when the race is lost.
        """
        await self.ensure()
        with translated(self._of(entity)):
            if not etag:
                return str((await self._client.create_entity(entity))["etag"])
            answer = await self._client.update_entity(
                entity,
                mode=UpdateMode.REPLACE,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
            )
            return str(answer["etag"])

    async def put(self, entity: Entity) -> None:
        """Insert or replace one row, whatever is there."""
        await self.ensure()
        with translated(self._of(entity)):
            await self._client.upsert_entity(entity, mode=UpdateMode.REPLACE)

    async def delete(self, partition: str, row: str) -> None:
        """Delete one row; no error when it is gone already."""
        await self.ensure()
        with translated(self._name(partition, row)):
            await self._client.delete_entity(partition, row)

    async def commit(self, operations: Sequence[Operation]) -> list[str]:
        """Change rows of one partition, all or none; return their new ETags in order.

        Raises ConflictError when the race for any of them is lost, RefusedError when they are more
        than one transaction takes.
        """
        what = self._of(operations[0][1])
        if len(operations) > MAX_OPERATIONS:
            raise RefusedError(
                f"{what} would change {len(operations)} rows at once; Table Storage takes "
                f"{MAX_OPERATIONS}: save it in smaller steps"
            )
        await self.ensure()
        with translated(what):
            answers = await self._client.submit_transaction(operations)
        return [str(answer.get("etag") or "") for answer in answers]

    async def all(self, stretch: Stretch, *, select: list[str] | None = None) -> list[TableEntity]:
        """Read every row of a stretch."""
        await self.ensure()
        with translated(f"a list of table {self._client.table_name}"):
            found = self._client.query_entities(
                stretch.query, parameters=dict(stretch.parameters), select=select
            )
            return [entity async for entity in found]

    async def page(
        self,
        stretches: Sequence[Stretch],
        *,
        limit: int,
        cursor: str,
        of: tuple[str, ...],
        select: list[str] | None = None,
    ) -> Rows:
        """Read up to *limit* rows of *stretches*, one after the other, from *cursor* on.

        *of* names the list, so that a cursor of another one is refused with BadMessageError. A page
        may hold fewer rows and still have a cursor.
        """
        position = read_cursor(cursor, of=of)
        rows: list[TableEntity] = []
        await self.ensure()
        for _ in range(_MAX_REQUESTS):
            if position.stretch >= len(stretches) or len(rows) >= limit:
                break
            found, position = await self._request(stretches, position, limit - len(rows), select)
            rows += found
        if position.stretch >= len(stretches):
            return Rows(rows=tuple(rows), cursor="")
        return Rows(rows=tuple(rows), cursor=write_cursor(position, of=of))

    async def _request(
        self, stretches: Sequence[Stretch], at: Position, most: int, select: list[str] | None
    ) -> tuple[list[TableEntity], Position]:
        """Ask Azure once; return the rows and where to go on."""
        stretch = stretches[at.stretch]
        token = {"PartitionKey": at.token[0], "RowKey": at.token[1]} if at.token else None
        with translated(f"a list of table {self._client.table_name}"):
            pages = self._client.query_entities(
                stretch.query,
                parameters=dict(stretch.parameters),
                results_per_page=min(most, MAX_PAGE),
                select=select,
            ).by_page(continuation_token=token)  # type: ignore[arg-type]  # the SDK's own is a dict
            rows = [entity async for entity in await anext(pages)]
        following: Any = getattr(pages, "continuation_token", None)
        if not following:
            return rows, Position(stretch=at.stretch + 1)
        return rows, Position(
            stretch=at.stretch, token=(following["PartitionKey"], following["RowKey"])
        )

    def _of(self, entity: Entity) -> str:
        return self._name(str(entity["PartitionKey"]), str(entity["RowKey"]))

    def _name(self, partition: str, row: str) -> str:
        return f"row {partition!r} / {row!r} of table {self._client.table_name}"


class Tables:
    """All tables of the storage account, behind one client.

    *prefix* goes in front of every table's name; *options* go to the SDK's client.
    """

    def __init__(
        self,
        storage: Storage,
        credential: AsyncTokenCredential | None,
        *,
        prefix: str = "",
        **options: Any,
    ) -> None:
        # Few retries inside the client: the queue brings the message back, and waits better.
        settings = {"retry_total": 3, "connection_timeout": 10, "read_timeout": 30, **options}
        if storage.connection_string:
            self._service = TableServiceClient.from_connection_string(
                storage.connection_string, **settings
            )
        else:
            self._service = TableServiceClient(storage.table_uri, credential=credential, **settings)
        self._prefix = prefix
        self._tables: dict[str, Table] = {}

    def table(self, name: str) -> Table:
        """Return the table called *name*, the same object every time."""
        if name not in self._tables:
            self._tables[name] = Table(self._service.get_table_client(f"{self._prefix}{name}"))
        return self._tables[name]

    async def ensure(self) -> None:
        """Create every table asked for so far where it is missing."""
        for table in self._tables.values():
            await table.ensure()

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()
