"""What is known of each subscription: one row, in a partition of its own."""

from pydantic import TypeAdapter

from shared.domain.subscription import Subscription
from shared.ports import Page, Stored
from shared.records.entities import Column, pack, unpack
from shared.records.keys import escape
from shared.records.tables import Stretch, Tables

_ADAPTER = TypeAdapter(Subscription)
_ROW = "subscription"


class TableSubscriptions:
    """Implements `shared.ports.Subscriptions`."""

    def __init__(self, tables: Tables) -> None:
        self._subscriptions = tables.table("Subscriptions")

    async def get(self, subscription_id: str) -> Stored[Subscription] | None:
        """Load what is known of a subscription."""
        row = await self._subscriptions.get(escape(subscription_id), _ROW)
        return Stored(unpack(_ADAPTER, row), str(row.metadata["etag"])) if row else None

    async def save(self, subscription: Stored[Subscription]) -> Stored[Subscription]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
        value = subscription.value
        columns = {"troubled": value.is_troubled}
        partition = escape(value.subscription_id)
        row = pack(_ADAPTER, value, partition=partition, row=_ROW, columns=columns)
        return Stored(value, await self._subscriptions.save(row, subscription.etag))

    async def list(
        self, *, troubled: bool = False, limit: int = 100, cursor: str = ""
    ) -> Page[Subscription]:
        """List them by id, all or only those with a problem.

        Raises BadMessageError when *cursor* is not one we gave for this list.
        """
        query = "RowKey eq @row" + (" and troubled eq @troubled" if troubled else "")
        parameters: dict[str, Column] = {"row": _ROW}
        if troubled:
            parameters["troubled"] = True
        found = await self._subscriptions.page(
            [Stretch(query=query, parameters=parameters)],
            limit=limit,
            cursor=cursor,
            of=("subscriptions", str(troubled)),
        )
        return Page(items=tuple(unpack(_ADAPTER, row) for row in found.rows), cursor=found.cursor)
