"""What every register of moves and of receipts does."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import BadMessageError
from shared.ports import AuditEntry, Receipt
from tests.contract.records.conftest import OpenTable
from tests.contract.records.samples import NOON, AnyRecords, pages

HOUR = timedelta(hours=1)


def _entry(number: int, *, scope: str = "images/ubuntu", subject: str = "builds/b/1") -> AuditEntry:
    return AuditEntry(
        id=f"e{number}", scope=scope, subject=subject, what="cancel", who="function-key",
        why="no need #1?", before={"phase": "queued"}, at=NOON + number * HOUR,
        correlation_id="c-1",
    )  # fmt: skip


async def test_an_entry_is_replaced_by_what_came_of_it(records: AnyRecords) -> None:
    await records.audit.write(_entry(1))
    ended = replace(_entry(1), outcome="done", after={"phase": "cancelled"})
    await records.audit.write(ended)
    assert (await records.audit.list("images/ubuntu")).items == (ended,)


async def test_entries_are_listed_newest_first_and_by_scope(records: AnyRecords) -> None:
    for number in (2, 10, 1):
        await records.audit.write(_entry(number))
    await records.audit.write(_entry(3, scope="images/debian"))
    listed = await records.audit.list("images/ubuntu")
    assert [e.id for e in listed.items] == ["e10", "e2", "e1"]
    assert (await records.audit.list("images/none")).items == ()


async def test_entries_may_be_of_one_subject(records: AnyRecords) -> None:
    await records.audit.write(_entry(1))
    await records.audit.write(_entry(2, subject="images/ubuntu/versions/1.1.1"))
    listed = await records.audit.list("images/ubuntu", subject="builds/b/1")
    assert [e.id for e in listed.items] == ["e1"]


async def test_entries_come_in_pages(records: AnyRecords) -> None:
    for number in range(5):
        await records.audit.write(_entry(number))

    found = await pages(lambda c: records.audit.list("images/ubuntu", limit=2, cursor=c))
    assert [[e.id for e in page] for page in found] == [["e4", "e3"], ["e2", "e1"], ["e0"]]
    first = await records.audit.list("images/ubuntu", limit=2)
    with pytest.raises(BadMessageError):
        await records.audit.list("images/debian", limit=2, cursor=first.cursor)


def _receipt(key: str = "POST /x\nme\nk", **changes: object) -> Receipt:
    receipt = Receipt(
        key=key, fingerprint="f", at=NOON, status=202, body={"a": [1, None]},
        headers={"Location": "https://assay.example/1"},
    )  # fmt: skip
    return replace(receipt, **changes)  # type: ignore[arg-type]


async def test_a_receipt_is_kept_for_a_day(records: AnyRecords) -> None:
    assert await records.receipts.get("POST /x\nme\nk", now=NOON) is None
    assert await records.receipts.keep(_receipt()) == _receipt()
    for later in (timedelta(), 23 * HOUR):
        assert await records.receipts.get(_receipt().key, now=NOON + later) == _receipt()
    assert await records.receipts.get(_receipt().key, now=NOON + 24 * HOUR) is None
    assert await records.receipts.get("another", now=NOON) is None


async def test_the_first_receipt_under_a_key_is_kept(records: AnyRecords) -> None:
    await records.receipts.keep(_receipt())
    second = _receipt(status=409, at=NOON + HOUR)
    assert await records.receipts.keep(second) == _receipt()
    assert await records.receipts.get(second.key, now=NOON + HOUR) == _receipt()


async def test_of_two_at_once_one_is_kept(records: AnyRecords) -> None:
    kept = await asyncio.gather(
        *(records.receipts.keep(_receipt(status=status)) for status in (200, 201, 202))
    )
    assert len({r.status for r in kept}) == 1


async def test_after_a_day_another_receipt_is_kept_under_the_same_key(records: AnyRecords) -> None:
    await records.receipts.keep(_receipt())
    later = _receipt(at=NOON + 25 * HOUR, status=200)
    assert await records.receipts.keep(later) == later
    assert await records.receipts.get(later.key, now=later.at) == later


@pytest.mark.azurite
async def test_old_receipts_do_not_pile_up(
    table_records: AnyRecords, open_table: OpenTable
) -> None:
    for number in range(5):
        await table_records.receipts.keep(_receipt(f"k{number}"))
    await table_records.receipts.keep(_receipt("new", at=NOON + 72 * HOUR))
    rows = [row async for row in open_table("Receipts").list_entities()]
    assert [row["PartitionKey"] for row in rows] == ["2026-11-25"]
