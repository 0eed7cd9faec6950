"""The track flow as a whole: every message once, twice, and killed at every call of a port."""

from datetime import timedelta

import pytest

from shared.domain.vm_record import Machine
from shared.messages import JudgeImageUsers, RecordPolicyState, TrackImageVersion, TrackVm
from shared.ports import VmFilter
from tests.fakes.fleet import COMPUTE, instance_facts, vm_facts
from tests.fakes.world import NOON, Crashes, World
from tests.unit.fleet.register import IMAGE_ID, Register

VM = f"{COMPUTE}/virtualmachines/vm-1"
SCALE_SET = f"{COMPUTE}/virtualmachinescalesets/api"

type Outcome = tuple[list[tuple[str, ...]], list[str], set[str]]


async def play(world: World) -> Outcome:
    """A VM and a scale set come, a version is released, one is deleted, the VM goes."""
    register = Register(fleet=world.fleet, gallery=world.gallery, records=world.records)
    await register.release("1.1.0")
    world.fleet.put(vm_facts("vm-1", image_id=IMAGE_ID, version="1.1.0"))
    for number in range(3):
        facts = instance_facts("api", number, image_id=IMAGE_ID, version="1.1.0")
        world.fleet.put(facts)
    world.send(TrackVm(resource_id=VM))
    world.send(TrackVm(resource_id=SCALE_SET))
    world.send(policy("noncompliant"))
    await world.drain()
    world.fleet.remove(f"{SCALE_SET}/virtualmachines/2")
    world.send(TrackVm(resource_id=SCALE_SET))
    world.send(policy("compliant", minute=1))
    await world.drain()
    await register.release("1.2.0")
    world.send(JudgeImageUsers(image_id=IMAGE_ID, because="version 1.2.0 was published"))
    await world.drain()
    world.send(TrackImageVersion(resource_id=f"{IMAGE_ID}/versions/1.1.0"))
    await world.drain()
    world.fleet.remove(VM)
    world.send(TrackVm(resource_id=VM))
    await world.drain()
    return await outcome(world)


def policy(state: str, *, minute: int = 0) -> RecordPolicyState:
    return RecordPolicyState(
        resource_id=VM,
        assignment_id="/a/only-gallery",
        definition_id="/d",
        reference_id="",
        state=state,
        timestamp=NOON + timedelta(minutes=minute),
    )


async def outcome(world: World) -> Outcome:
    """Return what the register says but for times, and the distinct events announced."""
    page = await world.records.vms.list(VmFilter(deleted=True, machines=tuple(Machine)))
    rows: list[tuple[str, ...]] = [
        (r.resource_id, str(r.verdict), r.reason, r.policy, r.team, str(r.deleted_at is not None))
        for r in page.items
    ]
    lines = [
        f"{r.name}: {line.what} {line.old}>{line.new} ({line.because})"
        for r in page.items
        for line in [n.transition for n in await world.records.vms.lines(r.key)]
        if line.what not in ("deleted", "policy")
    ]
    announced = {a.event_id for a in world.outbox.announced}
    return rows, lines, announced


def a_world(**changes: object) -> World:
    return World(**changes)  # type: ignore[arg-type]


async def test_the_flow_ends_as_it_should() -> None:
    world = a_world()
    rows, lines, announced = await play(world)
    shown = {(r[0].rpartition("/")[2], r[1], r[3], r[5]) for r in rows}
    assert shown == {
        ("vm-1", "retired", "compliant", "True"),
        ("0", "retired", "", "False"),
        ("1", "retired", "", "False"),
        ("2", "current", "", "True"),
        ("api", "current", "", "False"),
    }
    assert [line for line in lines if line.startswith("vm-1")] == [
        f"vm-1: first-seen >{IMAGE_ID} 1.1.0 (event)",
        "vm-1: verdict >current (event)",
        "vm-1: verdict current>aged (version 1.2.0 was published)",
        "vm-1: verdict aged>retired (version 1.1.0 was deleted from the gallery)",
    ]
    assert len(announced) == len(world.outbox.announced) == 6


async def test_every_message_delivered_twice_ends_the_same() -> None:
    assert await play(a_world(twice=True)) == await play(a_world())


async def calls_of_the_flow() -> int:
    counting = a_world()
    await play(counting)
    return counting.crashes.calls


@pytest.mark.parametrize("part", range(8))
async def test_a_process_killed_at_any_call_ends_the_same(part: int) -> None:
    expected_rows, expected_lines, expected_events = await play(a_world())
    for at in range(part + 1, await calls_of_the_flow() + 1, 8):
        world = a_world(crashes=Crashes(at=at))
        rows, lines, announced = await play(world)
        assert rows == expected_rows, at
        assert sorted(lines) == sorted(expected_lines), at
        assert announced == expected_events, at
