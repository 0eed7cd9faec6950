"""Histories that are too long: found, trimmed and forgotten, in whatever way messages come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.history import Transition
from shared.domain.subscription import Subscription
from shared.domain.vm_record import Kind, Machine, VmRecord
from shared.messages import FindOldHistory, TrimHistory
from shared.ports import Stored, VmEntry, VmFilter
from tests.fakes.world import FLEET_POLICY, NOON, Crashes, World
from tests.unit.domain.pasts import a_record

CUT = NOON - FLEET_POLICY.history_kept - timedelta(hours=12)
"""The beginning of the day."""
LONG_AGO = CUT - timedelta(days=200)

type Outcome = dict[str, tuple[datetime | None, list[tuple[int, str]]]]


def a_vm(name: str, subscription: str = "s1", **changes: object) -> VmRecord:
    made = a_record(**{"first_seen_at": LONG_AGO, **changes})
    return replace(
        made,
        key=f"{subscription}.{name}",
        resource_id=f"/subscriptions/{subscription}/vms/{name}",
        name=name,
        subscription_id=subscription,
    )


def a_line(what: str, value: str, days: int) -> Transition:
    at = LONG_AGO + timedelta(days=days)
    return Transition(what=what, old="", new=value, at=at, because="event")


LINES = (
    a_line("first-seen", "an image", 0),
    a_line("verdict", "current", 0),
    a_line("verdict", "aged", 50),
    a_line("verdict", "retired", 100),
    a_line("policy", "compliant", 150),
    a_line("verdict", "current", 300),
)


async def hold(world: World, record: VmRecord, lines: Sequence[Transition] = LINES) -> None:
    counted = replace(record, transitions=len(lines))
    entry = VmEntry(key=record.key, record=counted)
    await world.records.vms.save(Stored(VmEntry(key=record.key)), entry, lines)
    held = await world.records.subscriptions.get(record.subscription_id)
    if held is None:
        known = Subscription(subscription_id=record.subscription_id)
        await world.records.subscriptions.save(Stored(known))


async def play(world: World) -> Outcome:
    """VMs of every sort in two subscriptions, and the weekly walk through the register."""
    await hold(world, a_vm("old"))
    await hold(world, a_vm("gone", deleted_at=CUT - timedelta(days=1)))
    await hold(world, a_vm("just-gone", deleted_at=CUT + timedelta(days=1)))
    await hold(world, a_vm("model", "s2", machine=Machine.SCALE_SET, kind=Kind.CATTLE))
    await hold(world, a_vm("instance", "s2", machine=Machine.UNIFORM))
    await hold(world, a_vm("fresh", "s2", first_seen_at=CUT))
    world.send(FindOldHistory())
    await world.drain()
    return await outcome(world)


async def outcome(world: World) -> Outcome:
    wanted = VmFilter(deleted=True, machines=())
    found: Outcome = {}
    for machines in ((Machine.VM, Machine.FLEXIBLE), (Machine.UNIFORM,), (Machine.SCALE_SET,)):
        page = await world.records.vms.list(replace(wanted, machines=machines))
        for record in page.items:
            lines = await world.records.vms.lines(record.key)
            told = [(line.number, line.transition.new) for line in lines]
            found[record.name] = (record.history_from, told)
    return found


TRIMMED = [(1, "an image"), (4, "retired"), (5, "compliant"), (6, "current")]
WHOLE = [(n, line.new) for n, line in enumerate(LINES, start=1)]
EXPECTED: Outcome = {
    "old": (CUT, TRIMMED),
    "just-gone": (CUT, TRIMMED),
    "model": (CUT, TRIMMED),
    "instance": (CUT, TRIMMED),
    "fresh": (None, WHOLE),
}


async def test_the_walk_trims_what_is_too_long_and_forgets_who_is_long_gone() -> None:
    world = World()
    assert await play(world) == EXPECTED
    assert (await world.records.vms.get("s1.gone")).etag == ""


async def test_nothing_is_written_again_within_a_month() -> None:
    world = World()
    await play(world)
    before = await world.records.vms.get("s1.old")
    for days in (7, 14, 21, 28):
        world.now = NOON + timedelta(days=days)
        world.send(FindOldHistory())
        world.send(TrimHistory(vm_keys=("s1.old",)))
        await world.drain()
    assert await world.records.vms.get("s1.old") == before
    world.now = NOON + timedelta(days=31)
    world.send(FindOldHistory())
    await world.drain()
    after = await world.records.vms.get("s1.old")
    assert after.value.record is not None
    assert after.value.record.history_from == CUT + timedelta(days=31)


async def test_trimming_writes_no_line_and_changes_nothing_else() -> None:
    world = World()
    await hold(world, a_vm("old"))
    before = (await world.records.vms.get("s1.old")).value.record
    world.send(TrimHistory(vm_keys=("s1.old",)))
    await world.drain()
    after = (await world.records.vms.get("s1.old")).value.record
    assert before is not None
    assert after == replace(before, history_from=CUT)
    (listed,) = (await world.records.vms.list(VmFilter(team="web"))).items
    assert listed == after


async def test_every_message_delivered_twice_ends_the_same() -> None:
    assert await play(World(twice=True)) == EXPECTED


async def calls_of_the_walk() -> int:
    counting = World()
    await play(counting)
    return counting.crashes.calls


async def test_a_process_killed_at_any_call_ends_the_same() -> None:
    calls = await calls_of_the_walk()
    assert calls > 30
    for at in range(1, calls + 1):
        world = World(crashes=Crashes(at=at))
        assert await play(world) == EXPECTED, at
        assert (await world.records.vms.get("s1.gone")).etag == "", at


@pytest.mark.parametrize("subscriptions", [1, 100, 101, 250])
async def test_every_subscription_is_walked_through_whatever_their_number(
    subscriptions: int,
) -> None:
    world = World()
    for number in range(subscriptions):
        await hold(world, a_vm("vm", f"s{number:03d}"))
    world.send(FindOldHistory())
    await world.drain(limit=5000)
    trimmed = [c.vm_keys for c in world.outbox.commands if isinstance(c, TrimHistory)]
    assert sorted(trimmed) == [(f"s{n:03d}.vm",) for n in range(subscriptions)]


async def test_a_subscription_of_many_vms_is_walked_through_page_by_page() -> None:
    world = World()
    for number in range(1203):
        await hold(world, a_vm(f"vm{number:04d}"), [])
    world.send(FindOldHistory(subscription_id="s1"))
    await world.drain()
    trims = [c.vm_keys for c in world.outbox.commands if isinstance(c, TrimHistory)]
    assert max(len(keys) for keys in trims) == 100
    assert [key for keys in trims for key in keys] == [f"s1.vm{n:04d}" for n in range(1203)]
    pages = [c for c in world.outbox.commands if isinstance(c, FindOldHistory)]
    assert len(pages) == 2 + 2


async def test_a_vm_nobody_knows_is_no_trouble() -> None:
    world = World()
    world.send(TrimHistory(vm_keys=("s1.nobody",)))
    await world.drain()
    assert (await world.records.parked.list()).items == ()
