"""How many builds Image Builder works on at once, and who is next."""

from datetime import timedelta

import pytest

from shared.domain.build import Phase
from shared.domain.slots import Slots
from shared.messages import StartBuild
from shared.ports import RunCommandStatus, Stored
from tests.fakes.definitions import ubuntu
from tests.fakes.world import NOON, Crashes, World
from tests.unit.factory.test_publish_flow import tattooed

NAMES = ("alma", "debian", "suse", "ubuntu")


def world_of(*names: str, **changes: object) -> World:
    """Return a world of images called *names*, each guest showing its own tattoo."""
    definitions = {n: ubuntu(name=n, sku=n) for n in names}
    world = World(definitions=definitions, **changes)  # type: ignore[arg-type]
    tattooed(world)
    usual, status = world.vms.answers, world.vms.command_status

    async def command_status(vm_name: str, name: str) -> RunCommandStatus | None:
        template = vm_name.removesuffix("-verify")
        if template in world.image_builder.created:
            world.image_builder.created.remove(template)
            world.image_builder.created.append(template)  # the guest asks for the last one
        return await status(vm_name, name)

    world.vms.command_status = command_status  # type: ignore[method-assign]
    assert usual is world.vms.answers
    return world


async def drained(world: World) -> list[list[str]]:
    """Start a build of every image and drain; return who was building after each delivery."""
    seen: list[list[str]] = []
    for name in world.definitions:
        world.send(
            StartBuild(definition=name, source_version="22.04.202411080", requested_by="http")
        )
    while world._queue:
        await world.deliver_next()
        builds = (await world.records.builds.list()).items
        now = sorted(b.definition for b in builds if b.phase is Phase.BUILDING)
        if not seen or seen[-1] != now:
            seen.append(now)
    return seen


@pytest.mark.parametrize("twice", [False, True])
async def test_no_more_builds_than_allowed_are_under_way_and_all_get_their_turn(
    twice: bool,
) -> None:
    world = world_of(*NAMES, max_builds=2, twice=twice)

    seen = await drained(world)

    assert max(len(now) for now in seen) == 2
    builds = (await world.records.builds.list()).items
    assert {b.definition: b.phase for b in builds} == dict.fromkeys(NAMES, Phase.RELEASED)


async def test_who_came_first_builds_first() -> None:
    world = world_of(*NAMES, max_builds=1)

    seen = await drained(world)

    assert [now[0] for now in seen if now] == list(NAMES)


async def test_a_waiting_build_says_where_in_line_it_stands() -> None:
    world = world_of(*NAMES[:3], max_builds=1)
    said: set[str] = set()
    for name in NAMES[:3]:
        world.send(
            StartBuild(definition=name, source_version="22.04.202411080", requested_by="http")
        )
    while world._queue:
        await world.deliver_next()
        said |= {b.waiting for b in (await world.records.builds.list()).items}

    assert said == {
        "",
        "waits for a place to build: number 1 in line, 1 of 1 places are taken",
        "waits for a place to build: number 2 in line, 1 of 1 places are taken",
    }
    assert [b.waiting for b in (await world.records.builds.list()).items] == ["", "", ""]


async def test_a_build_that_died_with_its_place_gives_it_up() -> None:
    world = world_of("alma", max_builds=1)
    dead = Slots(scope=world.capacity.scope).asked(("gone", 1), limit=1, now=NOON)
    waiting = dead.asked(("gone-too", 1), limit=1, now=NOON)

    await world.records.build_slots.save(Stored(waiting))

    await drained(world)

    [build] = (await world.records.builds.list()).items
    assert build.phase is Phase.RELEASED
    assert build.attempt.started_at - NOON < timedelta(minutes=2)


async def test_a_place_taken_at_the_limit_of_one_is_asked_for_again_by_every_attempt() -> None:
    world = world_of("alma", max_builds=1)
    world.vms.answers["check-sshd"] = RunCommandStatus(finished=True, exit_code=1)

    await drained(world)

    [build] = (await world.records.builds.list()).items
    assert [a.number for a in build.attempts] == [1, 2]


async def test_killed_here_and_there_nobody_waits_for_ever() -> None:
    world = world_of("alma", "debian", max_builds=1)
    await drained(world)
    calls = world.crashes.calls
    assert calls > 100

    for at in range(1, calls + 1, 5):
        world = world_of("alma", "debian", max_builds=1, crashes=Crashes(at=at))
        seen = await drained(world)
        builds = (await world.records.builds.list()).items
        assert [b.phase for b in builds] == [Phase.RELEASED] * 2, at
        assert [len(b.attempts) for b in builds] == [1, 1], at
        assert max(len(now) for now in seen) == 1, at
