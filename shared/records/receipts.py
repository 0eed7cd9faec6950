"""What was done under which key: one partition per day, so that old ones are found and deleted.

A receipt lives for a day, so it is in the partition of today or of yesterday. Whoever keeps one
sweeps a few of those that are older out.
"""

from datetime import datetime, timedelta

from pydantic import TypeAdapter

from shared.domain.identifiers import digest
from shared.errors import ConflictError
from shared.ports import RECEIPT_LIFE, Receipt
from shared.records.entities import pack, unpack
from shared.records.tables import Stretch, Tables

_ADAPTER = TypeAdapter(Receipt)
_DAY = timedelta(days=1)
_SWEPT_AT_ONCE = 20
"""Old receipts deleted for each new one: more than come, so that they never pile up."""


class TableReceipts:
    """Implements `shared.ports.Receipts`."""

    def __init__(self, tables: Tables) -> None:
        self._receipts = tables.table("Receipts")

    async def get(self, key: str, *, now: datetime) -> Receipt | None:
        """Return the receipt under *key*; None when there is none or it is too old."""
        for moment in (now, now - _DAY):
            row = await self._receipts.get(_partition(moment), _row(key))
            receipt = unpack(_ADAPTER, row) if row else None
            if receipt and now < receipt.at + RECEIPT_LIFE:
                return receipt
        return None

    async def keep(self, receipt: Receipt) -> Receipt:
        """Keep *receipt*, and return the one that is kept: the first under its key."""
        first = await self.get(receipt.key, now=receipt.at)
        if first:
            return first
        row = pack(_ADAPTER, receipt, partition=_partition(receipt.at), row=_row(receipt.key))
        try:
            await self._receipts.save(row, "")
        except ConflictError:
            first = await self.get(receipt.key, now=receipt.at)
            if first is None:
                raise
            return first
        await self._sweep(receipt.at)
        return receipt

    async def _sweep(self, now: datetime) -> None:
        """Delete some of the receipts whose day has passed."""
        found = await self._receipts.page(
            [
                Stretch(
                    query="PartitionKey lt @oldest",
                    parameters={"oldest": _partition(now - _DAY)},
                )
            ],
            limit=_SWEPT_AT_ONCE,
            cursor="",
            of=("receipts",),
            select=["PartitionKey", "RowKey"],
        )
        for row in found.rows:
            await self._receipts.delete(str(row["PartitionKey"]), str(row["RowKey"]))


def _partition(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def _row(key: str) -> str:
    """A key may hold anything and be of any length, so its digest stands for it."""
    return digest(key)
