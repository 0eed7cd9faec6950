"""The index of VMs over Table Storage: what it costs, and that crashes and races cannot bend it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.history import Transition
from shared.domain.vm_record import Verdict, VmRecord
from shared.errors import ConflictError
from shared.ports import VmEntry, VmFilter
from shared.records.records import Records
from shared.records.vm_index import row_keys
from tests.contract.records.conftest import MakeRecords, OpenTable
from tests.contract.records.samples import (
    IMAGE,
    MARKETPLACE,
    NOON,
    a_key,
    a_state,
    a_transition,
    a_vm,
    an_entry,
    an_image,
    change_vm,
    save_vm,
)
from tests.contract.records.wire import DiedError, Wire, dying_at, moments

pytestmark = pytest.mark.azurite

KEY = a_key("vm1")
MOVED = a_vm(KEY, team="db", image=an_image("1.1.2"), verdict=Verdict.AGED, transitions=1)
WRITES_OF_A_MOVE = 10
"""Transaction, three index rows put, two deleted, three histories told, the notice removed."""


def ours(data: str) -> bool:
    """Tell whether an index row is about the one VM of these tests."""
    return f'"key":"{KEY}"' in data


async def assert_in_line(open_table: OpenTable, records: Records) -> VmRecord:
    """Check that the index says what the record says, and nothing else; return the record."""
    record = (await records.vms.get(KEY)).value.record
    assert record is not None
    rows = open_table("VmIndex").list_entities()
    found = {(r["PartitionKey"], r["RowKey"]) async for r in rows if ours(str(r.get("data", "")))}
    assert found == row_keys(record)
    for wanted in (
        VmFilter(team=record.team),
        VmFilter(image=record.image.image_id),
        VmFilter(subscription_id=record.subscription_id),
    ):
        listed = (await records.vms.list(replace(wanted, deleted=True))).items
        assert [each for each in listed if each.key == KEY] == [record]
    told = [
        line.transition
        for line in reversed(
            (
                await records.vms.lines_of_team(
                    record.team, since=NOON, until=NOON + timedelta(days=1), limit=1000
                )
            ).lines
        )
    ]
    own = [line.transition for line in await records.vms.lines(KEY)]
    assert told == [line for line in own if record.team in (line.old, line.new)]
    notices = open_table("Vms").query_entities("RowKey eq 'index'")
    assert [notice["PartitionKey"] async for notice in notices] == []
    return record


async def watched(make: MakeRecords) -> tuple[Records, Wire]:
    """A register of a process that has used its tables for a while, and its wire."""
    wire = Wire()
    records = make(transport=wire)
    seen, first = an_entry(a_vm(a_key("another"), team="other", transitions=1))
    await records.vms.save(seen, first, [a_transition("", "other", "team")])
    await change_vm(records, a_key("another"), image=an_image("1.0.0", MARKETPLACE))
    wire.writes = 0
    return records, wire


async def test_writes_are_few(make_table_records: MakeRecords) -> None:
    records, wire = await watched(make_table_records)
    costs = {}

    async def become(what: str, new: VmEntry, *lines: Transition) -> None:
        old = await records.vms.get(KEY)
        count = (old.value.record.transitions if old.value.record else 0) + len(lines)
        record = replace(new.record, transitions=count) if new.record else None
        wire.writes = 0
        await records.vms.save(old, replace(new, record=record), lines)
        costs[what] = wire.writes

    seen = VmEntry(key=KEY, record=a_vm(KEY))
    states = (a_state("a1"), a_state("a2"))
    aged = VmEntry(key=KEY, record=a_vm(KEY, verdict=Verdict.AGED), policy_states=states)
    moved = replace(
        aged, record=a_vm(KEY, team="db", image=an_image("1.0.0", MARKETPLACE), definition="")
    )
    first, verdict = a_transition("", "1", "first-seen"), a_transition("", "current")
    await become("new", seen, first, verdict)
    await become("unchanged", seen)
    await become("policy states", replace(seen, policy_states=states))
    await become("verdict", aged, a_transition("current", "aged"))
    await become("team and image", moved, a_transition("web", "db", "team"))
    assert costs == {
        "new": 7,
        "unchanged": 0,
        "policy states": 1,
        "verdict": 7,
        "team and image": 11,
    }


async def move(records: Records, to: VmRecord) -> None:
    """What a delivery does: load, and save what is true now if it is something else."""
    old = await records.vms.get(KEY)
    assert old.value.record is not None
    changed = old.value.record.team != to.team
    count = old.value.record.transitions + changed
    lines = [a_transition(old.value.record.team, to.team, what="team")] if changed else []
    await records.vms.save(old, VmEntry(key=KEY, record=replace(to, transitions=count)), lines)


@pytest.mark.parametrize("truth", [MOVED, a_vm(KEY), a_vm(KEY, team="third")])
@pytest.mark.parametrize(("write", "when"), moments(WRITES_OF_A_MOVE))
async def test_a_crash_at_any_write_is_healed_by_the_next_delivery(
    open_table: OpenTable,
    make_table_records: MakeRecords,
    write: int,
    when: str,
    truth: VmRecord,
) -> None:
    dying, wire = await watched(make_table_records)
    await save_vm(dying, a_vm(KEY))
    wire.writes = 0
    setattr(wire, when, dying_at(write))
    with pytest.raises(DiedError):
        await move(dying, MOVED)
    next_delivery = make_table_records()
    await move(next_delivery, truth)
    record = await assert_in_line(open_table, next_delivery)
    assert record.team == truth.team
    assert len(await next_delivery.vms.lines(KEY)) == record.transitions


@pytest.mark.parametrize("other", ["third", "web", "db"])
@pytest.mark.parametrize("write", range(2, WRITES_OF_A_MOVE + 1))
async def test_a_delivery_overtaken_while_it_writes_the_index_does_no_harm(
    open_table: OpenTable, make_table_records: MakeRecords, write: int, other: str
) -> None:
    slow, wire = await watched(make_table_records)
    await save_vm(slow, a_vm(KEY))
    wire.writes = 0
    reached, overtaken = asyncio.Event(), asyncio.Event()

    async def wait(number: int) -> None:
        if number == write:
            reached.set()
            await overtaken.wait()

    wire.before = wait
    quick = make_table_records()
    async with asyncio.TaskGroup() as both:
        both.create_task(move(slow, MOVED))
        await asyncio.wait_for(reached.wait(), 10)
        await move(quick, a_vm(KEY, team=other, verdict=Verdict.REVOKED))
        overtaken.set()
    record = await assert_in_line(open_table, quick)
    assert (record.team, record.verdict) == (other, Verdict.REVOKED)


@pytest.mark.parametrize("second", range(4, 14))
async def test_a_delivery_overtaken_twice_does_no_harm_either(
    open_table: OpenTable, make_table_records: MakeRecords, second: int
) -> None:
    slow, wire = await watched(make_table_records)
    await save_vm(slow, a_vm(KEY))
    wire.writes = 0
    quick = make_table_records()

    async def overtake(number: int) -> None:
        if number in (3, second):
            await move(quick, a_vm(KEY, team=f"team{number}"))

    wire.before = overtake
    await move(slow, MOVED)
    assert wire.writes >= second
    record = await assert_in_line(open_table, quick)
    assert record.team == f"team{second}"


async def test_a_policy_state_after_a_crash_heals_the_index_too(
    open_table: OpenTable, make_table_records: MakeRecords
) -> None:
    dying, wire = await watched(make_table_records)
    await save_vm(dying, a_vm(KEY))
    wire.writes, wire.before = 0, dying_at(2)
    with pytest.raises(DiedError):
        await move(dying, MOVED)
    records = make_table_records()
    old = await records.vms.get(KEY)
    await records.vms.save(old, replace(old.value, policy_states=(a_state(),)))
    assert await assert_in_line(open_table, records) == MOVED


async def test_reads_are_few(make_table_records: MakeRecords) -> None:
    records, wire = await watched(make_table_records)
    for number in range(3):
        await save_vm(records, a_vm(a_key(f"vm{number}")))
    wire.reads = 0
    await records.vms.get(KEY)
    assert wire.reads == 1
    for wanted in (VmFilter(team="web"), VmFilter(image=IMAGE, version="1.20261122.1"), VmFilter()):
        wire.reads = 0
        assert len((await records.vms.list(wanted, limit=3)).items) == 3
        assert wire.reads == 1


async def test_many_deliveries_at_once_leave_the_index_in_line(
    open_table: OpenTable, make_table_records: MakeRecords
) -> None:
    records = make_table_records()
    await save_vm(records, a_vm(KEY))

    async def deliver(number: int) -> int:
        lost = 0
        for _ in range(50):
            try:
                await move(records, a_vm(KEY, team=f"team{number % 3}", reason=f"{number}"))
            except ConflictError:
                lost += 1
            else:
                return lost
        raise AssertionError("it lost every race")

    lost = await asyncio.gather(*(deliver(number) for number in range(8)))
    assert sum(lost) > 0
    record = await assert_in_line(open_table, records)
    assert len(await records.vms.lines(KEY)) == record.transitions
