"""Snapshots of a whole fleet in memory, delivered twice and killed at every call."""

from datetime import timedelta

import pytest

from shared.domain.identifiers import vm_key
from shared.domain.snapshot import ALL, Dimension, Grain, Snapshot
from shared.fleet import take_snapshot as step
from shared.messages import TakeSnapshot
from shared.ports import Progress, Stored, VmEntry
from tests.fakes.world import NOON, World
from tests.unit.web.samples import SUBSCRIPTION, vm

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def hold(world: World, name: str, team: str) -> None:
    resource_id = (
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.compute"
        f"/virtualmachines/{name}"
    )
    entry = VmEntry(key=vm_key(resource_id), record=vm(resource_id, team=team))
    await world.records.vms.save(Stored(VmEntry(key=entry.key)), entry)


async def fleet(world: World, count: int = 7) -> None:
    for number in range(count):
        await hold(world, f"vm-{number}", "pay" if number % 3 else "web")


async def kept(world: World, grain: Grain, team: str = ALL) -> list[Snapshot]:
    page = await world.records.snapshots.series(
        grain, list(Dimension), since=NOON - 9999 * DAY, before=NOON + 9999 * DAY, team=team
    )
    return list(page.items)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "ROWS", 2)


async def test_a_snapshot_counts_the_whole_fleet_and_each_team() -> None:
    world = World()
    await fleet(world)

    world.send(TakeSnapshot(at=NOON))
    await world.drain()

    (whole,) = await kept(world, Grain.HOUR)
    (pay,) = await kept(world, Grain.HOUR, "pay")
    (web,) = await kept(world, Grain.HOUR, "web")
    assert [s.tally.count for s in (whole, pay, web)] == [7, 4, 3]
    assert await kept(world, Grain.DAY) == [whole]
    assert await world.records.snapshots.progress(NOON) is None
    assert world.delivered == ["take_snapshot"] * 5  # four pages, and the writing


async def test_a_fleet_without_vms_has_a_snapshot() -> None:
    world = World()

    world.send(TakeSnapshot(at=NOON))
    await world.drain()

    assert [s.tally.count for s in await kept(world, Grain.HOUR)] == [0]


async def test_delivered_twice_it_counts_nobody_twice_and_multiplies_no_messages() -> None:
    world = World(twice=True)
    await fleet(world)

    world.send(TakeSnapshot(at=NOON))
    await world.drain()

    assert [s.tally.count for s in await kept(world, Grain.HOUR)] == [7]
    assert len(world.delivered) <= 4 * 5


@pytest.mark.parametrize("twice", [False, True])
async def test_killed_at_any_call_it_ends_the_same(twice: bool) -> None:
    quiet = World(twice=twice)
    await fleet(quiet)
    quiet.send(TakeSnapshot(at=NOON))
    await quiet.drain()
    wanted = [await kept(quiet, Grain.HOUR, team) for team in (ALL, "pay", "web")]

    for call in range(1, quiet.crashes.calls + 1):
        world = World(twice=twice)
        world.crashes.at = call
        await fleet(world)
        world.send(TakeSnapshot(at=NOON))
        await world.drain()
        found = [await kept(world, Grain.HOUR, team) for team in (ALL, "pay", "web")]
        assert [[s.tally for s in f] for f in found] == [[s.tally for s in w] for w in wanted], call
        assert await world.records.snapshots.progress(NOON) is None


async def test_a_late_repeat_does_not_take_a_finished_snapshot_again() -> None:
    world = World()
    await fleet(world, 1)
    world.send(TakeSnapshot(at=NOON))
    await world.drain()
    await hold(world, "late", "pay")

    for page in range(3):
        world.send(TakeSnapshot(at=NOON, page=page))
        world.send(TakeSnapshot(at=NOON, page=page, guard=True))
    await world.drain()

    assert [s.tally.count for s in await kept(world, Grain.HOUR)] == [1]


async def test_a_snapshot_longer_than_an_hour_is_not_disturbed_by_the_next() -> None:
    world = World()
    await fleet(world)
    world.send(TakeSnapshot(at=NOON))
    await world.deliver_next()
    await world.deliver_next()

    world.now += HOUR
    world.send(TakeSnapshot(at=NOON + HOUR))
    await world.drain()

    later, earlier = await kept(world, Grain.HOUR)
    assert (earlier.at, earlier.as_of, earlier.tally.count) == (NOON, NOON, 7)
    assert (later.at, later.as_of, later.tally.count) == (NOON + HOUR, NOON + HOUR, 7)


async def test_the_first_finished_snapshot_of_a_utc_day_stands_for_it() -> None:
    world = World()
    for hours in (0, 1, 12, 13):
        world.now = NOON + hours * HOUR
        await hold(world, f"vm-{hours}", "pay")
        world.send(TakeSnapshot(at=world.now))
        await world.drain()

    assert [(s.at, s.tally.count) for s in await kept(world, Grain.DAY)] == [
        (NOON + 12 * HOUR, 3),
        (NOON, 1),
    ]


async def test_old_snapshots_go_the_hourly_ones_first() -> None:
    world = World()
    await fleet(world, 1)
    for days in (0, 1, 31, 32):
        world.now = NOON + days * DAY
        world.send(TakeSnapshot(at=world.now))
        await world.drain()

    assert [s.at for s in await kept(world, Grain.HOUR)] == [
        NOON + 32 * DAY, NOON + 31 * DAY, NOON + DAY,
    ]  # fmt: skip
    assert len(await kept(world, Grain.DAY)) == 4
    assert [s.at for s in await kept(world, Grain.HOUR, "web")] == [
        NOON + 32 * DAY, NOON + 31 * DAY, NOON + DAY,
    ]  # fmt: skip

    world.now = NOON + 1096 * DAY
    world.send(TakeSnapshot(at=world.now))
    await world.drain()

    assert [s.at for s in await kept(world, Grain.DAY)][-1] == NOON + DAY


async def test_what_was_never_finished_is_swept_out() -> None:
    world = World()
    await fleet(world)
    begun = Progress(at=NOON, as_of=NOON, pages=1, cursor="lost")
    await world.records.snapshots.add_page(Stored(begun), {})

    world.now += 3 * DAY
    world.send(TakeSnapshot(at=world.now))
    await world.drain()

    assert await world.records.snapshots.progress(NOON) is None
