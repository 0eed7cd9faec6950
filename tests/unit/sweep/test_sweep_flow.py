"""Two sweeps as a whole: every message once, twice, and killed at every call of a port."""

import pytest

from shared.ports import VmFilter
from tests.fakes.fleet import SUBSCRIPTION
from tests.fakes.world import Crashes, World
from tests.unit.sweep.estate import OTHER, Estate, counted

type Outcome = tuple[list[tuple[str, ...]], list[str], set[str], list[dict[str, int]]]


async def play(world: World) -> Outcome:
    """A fleet is swept for the first time; then everything happens without events."""
    estate = Estate(world=world)
    world.resource_graph.page_size = 2
    await estate.release("1.1.0")
    await estate.release("1.2.0")
    ids = [estate.vm(f"vm-{n}") for n in range(3)]
    estate.scale_set("api", "1.1.0", size=2)
    first = await estate.sweep()
    estate.world.resource_graph.show(OTHER)
    world.fleet.remove(ids[0])
    estate.vm("vm-1", "1.2.0")
    estate.vm("vm-9")
    estate.vm("vm-1", home=OTHER)
    estate.scale_set("api", "1.2.0", size=3)
    second = await estate.sweep()
    reports = (first, second)
    assert [str(r.sweep.outcome) for r in reports] == ["done"] * 2
    return *await state_of(world), [counted(r) for r in reports]


async def state_of(world: World) -> tuple[list[tuple[str, ...]], list[str], set[str]]:
    """Return what the register says but for times, and the distinct events announced."""
    everything = VmFilter(deleted=True, machines=("vm", "uniform-instance", "scale-set"))
    records = (await world.records.vms.list(everything)).items
    rows: list[tuple[str, ...]] = [
        (r.resource_id, r.image.version, str(r.verdict), r.team, str(r.deleted_at is not None))
        for r in records
    ]
    lines = [
        f"{r.resource_id}: {line.what} {line.old}>{line.new} ({line.because})"
        for r in records
        for line in [n.transition for n in await world.records.vms.lines(r.key)]
        if line.what != "deleted"
    ]
    return rows, lines, {a.event_id for a in world.outbox.announced}


async def test_two_sweeps_find_everything() -> None:
    rows, _, announced, counts = await play(World())

    assert {(r[0].rpartition("/")[2], OTHER in r[0], r[1], r[2], r[4]) for r in rows} == {
        ("vm-0", False, "1.1.0", "aged", "True"),
        ("vm-1", False, "1.2.0", "current", "False"),
        ("vm-2", False, "1.1.0", "aged", "False"),
        ("vm-9", False, "1.1.0", "aged", "False"),
        ("vm-1", True, "1.1.0", "aged", "False"),
        ("api", False, "", "current", "False"),
        ("0", False, "1.2.0", "current", "False"),
        ("1", False, "1.2.0", "current", "False"),
        ("2", False, "1.2.0", "current", "False"),
    }
    assert {SUBSCRIPTION in r[0] or OTHER in r[0] for r in rows} == {True}
    assert counts == [
        {"rows": 6, "first_seen": 6},
        {"rows": 8, "unchanged": 4, "first_seen": 1, "new": 2, "changed": 4, "vanished": 1,
         "missed": 7},
    ]  # fmt: skip
    assert len(announced) == 10


async def test_every_message_delivered_twice_ends_the_same() -> None:
    assert await play(World(twice=True)) == await play(World())


def confirmed(counts: dict[str, int]) -> dict[str, int]:
    """Leave out what depends on which of two messages is faster: an instance may be written with
    its scale set before its own page comes, or after."""
    return {name: n for name, n in counts.items() if name not in ("unchanged", "same")}


async def calls_of_the_flow() -> int:
    counting = World()
    await play(counting)
    return counting.crashes.calls


@pytest.mark.parametrize("part", range(8))
async def test_a_process_killed_at_any_call_ends_the_same(part: int) -> None:
    expected = await play(World())
    for at in range(part + 1, await calls_of_the_flow() + 1, 8):
        rows, lines, announced, counts = await play(World(crashes=Crashes(at=at)))
        assert rows == expected[0], at
        assert sorted(lines) == sorted(expected[1]), at
        assert announced == expected[2], at
        assert [confirmed(c) for c in counts] == [confirmed(c) for c in expected[3]], at
