"""The histories over Table Storage: crashes, races and short answers cannot bend them."""

import asyncio
import json
import re
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from shared.domain.vm_record import VmRecord
from shared.errors import ConflictError
from shared.ports import VmEntry
from shared.records.records import Records
from tests.contract.records.conftest import MakeRecords, OpenTable
from tests.contract.records.samples import MARKETPLACE, a_key, a_state, a_vm, an_image
from tests.contract.records.test_history import EVER, KEY, a_line_of, minute, move, tell
from tests.contract.records.wire import DiedError, Wire, dying_at, moments

pytestmark = pytest.mark.azurite

OTHER = a_key("other")
WRITES_OF_A_MOVE = 11
"""Transaction, three index rows put, two deleted, four histories written, the notice removed."""


async def assert_told(open_table: OpenTable, records: Records) -> list[int]:
    """Check that every line is in each history it belongs to, and nothing else of the VM is.

    Returns the numbers of its lines.
    """
    rows = open_table("Vms").query_entities(f"PartitionKey eq '{KEY}' and RowKey ge 'transition'")
    scopes = {int(r["RowKey"][-8:]): json.loads(r["scopes"]) async for r in rows}
    found = [
        (row["PartitionKey"].rpartition("|")[0], 99_999_999 - int(row["RowKey"][-8:]))
        async for row in open_table("History").list_entities()
        if KEY in row["RowKey"]
    ]
    assert sorted(found) == sorted((s, n) for n, names in scopes.items() for s in names)
    for team in ("web", "db", "third"):
        page = await records.vms.lines_of_team(team, limit=100, **EVER)
        numbers = [line.number for line in page.lines if line.key == KEY]
        told = [n for n, names in scopes.items() if f"team|{team}" in names]
        assert numbers == sorted(told, reverse=True)
    notices = open_table("Vms").query_entities("RowKey eq 'index'")
    assert [notice["PartitionKey"] async for notice in notices] == []
    return sorted(scopes)


async def watched(make: MakeRecords) -> tuple[Records, Wire]:
    """A register of a process that has used its tables for a while, and its wire."""
    wire = Wire()
    records = make(transport=wire)
    await move(records, OTHER, "web", 0, image=an_image("1.0.0", MARKETPLACE))
    await move(records, KEY, "web", 0)
    wire.writes = 0
    return records, wire


async def deliver(records: Records, team: str, at: int) -> None:
    """What a delivery does: save what is true now, with a line if it is something else."""
    old = (await records.vms.get(KEY)).value.record
    assert old is not None
    image = an_image("24.04.1", MARKETPLACE) if team == "db" else old.image
    new = a_vm(KEY, team=team, image=image)
    lines = [a_line_of("team", old.team, team, at)] if old.team != team else []
    await tell(records, new, *lines)


async def test_a_move_writes_each_history_once(make_table_records: MakeRecords) -> None:
    records, wire = await watched(make_table_records)
    await deliver(records, "db", 1)
    assert wire.writes == WRITES_OF_A_MOVE
    wire.writes = 0
    await deliver(records, "db", 2)
    assert wire.writes == 0


@pytest.mark.parametrize(("when", "truth"), [("before", "db"), ("after", "third")])
@pytest.mark.parametrize("write", range(1, WRITES_OF_A_MOVE + 1))
async def test_a_crash_at_any_write_is_healed_by_the_next_delivery(
    open_table: OpenTable, make_table_records: MakeRecords, write: int, when: str, truth: str
) -> None:
    dying, wire = await watched(make_table_records)
    setattr(wire, when, dying_at(write))
    with pytest.raises(DiedError):
        await deliver(dying, "db", 1)
    next_delivery = make_table_records()
    await deliver(next_delivery, truth, 2)
    numbers = await assert_told(open_table, next_delivery)
    happened = (write, when) != (1, "before")
    moved_on = truth != ("db" if happened else "web")
    assert numbers == list(range(1, 2 + happened + moved_on))


@pytest.mark.parametrize("other", ["third", "db"])
@pytest.mark.parametrize("write", range(5, WRITES_OF_A_MOVE + 1))
async def test_a_delivery_overtaken_while_it_tells_does_no_harm(
    open_table: OpenTable, make_table_records: MakeRecords, write: int, other: str
) -> None:
    slow, wire = await watched(make_table_records)
    reached, overtaken = asyncio.Event(), asyncio.Event()

    async def wait(number: int) -> None:
        if number == write:
            reached.set()
            await overtaken.wait()

    wire.before = wait
    quick = make_table_records()
    async with asyncio.TaskGroup() as both:
        both.create_task(deliver(slow, "db", 1))
        await asyncio.wait_for(reached.wait(), 10)
        await deliver(quick, other, 2)
        overtaken.set()
    assert await assert_told(open_table, quick) == [1, 2, 3][: 2 + (other != "db")]


async def a_long_history(records: Records) -> None:
    await deliver(records, "db", 1)
    await deliver(records, "third", 2)
    await deliver(records, "web", 3)


async def test_a_crash_at_any_write_of_a_trim_is_healed_by_the_next(
    open_table: OpenTable, make_table_records: MakeRecords
) -> None:
    dying, wire = await watched(make_table_records)
    await a_long_history(dying)
    for write in count(1):
        wire.writes, wire.before = 0, dying_at(write)
        try:
            await dying.vms.trim(KEY, before=minute(3))
        except DiedError:
            continue
        break
    assert write > 3
    assert await assert_told(open_table, dying) == [3, 4]


async def all_rows(open_table: OpenTable, key: str) -> list[tuple[str, str]]:
    """Return every row of every table that is about a VM."""
    rows = [
        row
        for name in ("Vms", "VmIndex", "History")
        async for row in open_table(name).list_entities()
    ]
    return [
        (row["PartitionKey"], row["RowKey"])
        for row in rows
        if key in f"{row['PartitionKey']} {row['RowKey']} {row.get('data', '')}"
    ]


async def writes_of_forgetting(make: MakeRecords) -> int:
    records, wire = await watched(make)
    await forgettable(records)
    wire.writes = 0
    await records.vms.forget(await records.vms.get(KEY))
    return wire.writes


async def forgettable(records: Records) -> None:
    await deliver(records, "db", 1)
    old = await records.vms.get(KEY)
    states = (a_state("a1"), a_state("a2"))
    await records.vms.save(old, replace(old.value, policy_states=states))


FORGETTING = 14
"""Two transactions, three index rows, two lines in six histories, a last transaction."""


async def test_what_forgetting_costs(make_table_records: MakeRecords) -> None:
    assert await writes_of_forgetting(make_table_records) == FORGETTING


@pytest.mark.parametrize("part", range(4))
async def test_a_crash_at_any_write_of_forgetting_is_healed_by_the_next(
    open_table: OpenTable, make_table_records: MakeRecords, part: int
) -> None:
    for write, when in moments(FORGETTING)[part::4]:
        dying, wire = await watched(make_table_records)
        await forgettable(dying)
        others = await all_rows(open_table, OTHER)
        wire.writes = 0
        setattr(wire, when, dying_at(write))
        with pytest.raises(DiedError):
            await dying.vms.forget(await dying.vms.get(KEY))
        again = make_table_records()
        await again.vms.forget(await again.vms.get(KEY))
        assert await all_rows(open_table, KEY) == [], write
        assert await all_rows(open_table, OTHER) == others


async def come_back(records: Records, team: str) -> VmRecord:
    """A VM is made anew under the same id."""
    old = await records.vms.get(KEY)
    line = a_line_of("team", old.value.record.team if old.value.record else "", team, 9)
    count = old.value.record.transitions if old.value.record else 0
    record = a_vm(KEY, team=team, transitions=count + 1)
    await records.vms.save(old, replace(old.value, record=record), [line])
    return record


@pytest.mark.parametrize("part", range(4))
async def test_a_vm_that_comes_back_while_it_is_forgotten_is_whole_in_the_end(
    open_table: OpenTable, make_table_records: MakeRecords, part: int
) -> None:
    for write in range(part + 1, FORGETTING + 1, 4):
        dying, wire = await watched(make_table_records)
        await forgettable(dying)
        wire.writes, wire.before = 0, dying_at(write)
        with pytest.raises(DiedError):
            await dying.vms.forget(await dying.vms.get(KEY))
        records = make_table_records()
        try:
            record = await come_back(records, "third")
        except ConflictError:  # its lines are not gone yet: it is told to come again
            await records.vms.forget(await records.vms.get(KEY))
            record = await come_back(records, "third")
        assert (await records.vms.get(KEY)).value.record == record, write
        assert len(await assert_told(open_table, records)) == record.transitions, write
        await records.vms.forget(await records.vms.get(KEY))


async def test_a_policy_state_that_comes_while_a_vm_is_forgotten_is_kept(
    open_table: OpenTable, make_table_records: MakeRecords
) -> None:
    dying, wire = await watched(make_table_records)
    await forgettable(dying)
    wire.writes, wire.before = 0, dying_at(8)
    with pytest.raises(DiedError):
        await dying.vms.forget(await dying.vms.get(KEY))
    records = make_table_records()
    old = await records.vms.get(KEY)
    assert old.value == VmEntry(key=KEY)
    new = replace(old.value, policy_states=(a_state("new"),))
    await records.vms.save(old, new)
    await records.vms.forget(await records.vms.get(KEY))
    assert (await records.vms.get(KEY)).value == new
    assert await assert_told(open_table, records) == []


class ShortAnswers(Wire):
    """Azure answers every query with one row and a token, as it may at any time."""

    async def send(self, request: Any, **config: Any) -> Any:
        request.url = re.sub(r"(%24|\$)top=\d+", r"\1top=1", request.url)
        return await super().send(request, **config)


async def test_short_answers_leave_no_line_out(make_table_records: MakeRecords) -> None:
    records = make_table_records(transport=ShortAnswers())
    for at in range(12):
        await move(records, KEY, "web", at, reason=f"{at}")
        await move(records, OTHER, "web", at, reason=f"{at}")
    numbers: list[int] = []
    before = ""
    while True:
        page = await records.vms.lines_of_team("web", limit=7, before=before, **EVER)
        numbers += [line.number for line in page.lines]
        before = page.before
        if not before:
            break
    assert numbers == [n for number in range(12, 0, -1) for n in (number, number)]


async def test_a_page_costs_one_query_for_each_shard(make_table_records: MakeRecords) -> None:
    records, wire = await watched(make_table_records)
    wire.reads = 0
    await records.vms.lines_of_team("web", limit=100, **EVER)
    assert wire.reads == 8
