"""A person ends a build: once, in any phase, whatever is delivered twice or dies on the way."""

import pytest

from shared.domain.build import Build, Phase
from shared.domain.image_version import VersionState
from shared.errors import NotAllowedError, NotFoundError, UnavailableError
from shared.messages import CancelBuild, StartBuild
from tests.fakes.world import Crashes, World

START = StartBuild(definition="ubuntu-22-04", source_version="22.04.202411080", requested_by="http")


async def _until(world: World, phase: Phase) -> Build:
    """Start a build and deliver its messages one by one until it is in *phase*."""
    world.send(START)
    for _ in range(200):
        found = (await world.records.builds.list()).items
        if found and found[0].phase is phase and (phase is Phase.QUEUED or found[0].attempts):
            return found[0]
        await world.deliver_next()
    pytest.fail(f"no build was {phase}")


async def _build(world: World) -> Build:
    [build] = (await world.records.builds.list()).items
    return build


def _cancel(build_id: str) -> CancelBuild:
    return CancelBuild(build_id=build_id, by="function-key", because="no longer wanted")


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("phase", [Phase.QUEUED, Phase.BUILDING, Phase.TATTOOING, Phase.VERIFYING])
async def test_a_build_is_cancelled_in_any_phase_before_publishing(
    phase: Phase, *, twice: bool
) -> None:
    world = World(twice=twice)
    build = await _until(world, phase)
    world.send(_cancel(build.id))
    await world.drain()
    ended = await _build(world)
    assert ended.phase is Phase.CANCELLED
    assert ended.history[-1].because == "cancelled by function-key: no longer wanted"
    assert {a.name for a in world.outbox.announced} == {"BuildCancelled"}
    assert len({a.event_id for a in world.outbox.announced}) == 1
    assert world.vms.vms == {}
    for attempt in ended.attempts:
        row = await world.records.image_versions.get("ubuntu-22-04", attempt.version)
        assert row is not None
        assert row.value.state is VersionState.REJECTED
    assert (await world.records.parked.list()).items == ()


async def test_the_run_of_a_cancelled_build_is_stopped() -> None:
    world = World()
    world.image_builder.run_looks = 20
    build = await _until(world, Phase.BUILDING)
    while not world.image_builder.runs:
        await world.deliver_next()
    world.send(_cancel(build.id))
    await world.drain()
    ended = await _build(world)
    assert world.image_builder.cancelled == [ended.attempt.template]
    held = world.image_builder.templates.get(ended.attempt.template)
    assert held is None or held.status.run_state == "Canceled"


async def test_an_image_builder_that_does_not_answer_is_asked_again() -> None:
    world = World()
    world.image_builder.run_looks = 20
    build = await _until(world, Phase.BUILDING)
    while not world.image_builder.runs:
        await world.deliver_next()
    world.image_builder.fail_next("cancel", UnavailableError("busy"), times=3)
    world.send(_cancel(build.id))
    await world.drain()
    assert (await _build(world)).phase is Phase.CANCELLED
    assert len(world.image_builder.cancelled) == 1


async def test_what_was_distributed_all_the_same_is_marked_rejected() -> None:
    world = World()
    build = await _until(world, Phase.VERIFYING)
    world.send(_cancel(build.id))
    await world.drain()
    held = await world.gallery.version(build.image_id, build.attempt.version)
    assert held is not None
    assert held.tags["assay-state"] == "rejected"
    assert held.excluded_from_latest


async def test_a_released_build_cannot_be_cancelled() -> None:
    world = World()
    build_id = await world.build()
    phase = (await _build(world)).phase
    with pytest.raises(NotAllowedError) as caught:
        await world.dispatcher.run(_cancel(build_id), correlation_id="c")
    assert caught.value.state == {"phase": str(phase), "finished": True}


async def test_a_build_that_is_not_there_cannot_be_cancelled() -> None:
    with pytest.raises(NotFoundError):
        await World().dispatcher.run(_cancel("gone"), correlation_id="c")


async def _calls() -> int:
    """Count the calls of ports from the cancellation to the end."""
    world = World()
    build = await _until(world, Phase.VERIFYING)
    before = world.crashes.calls
    world.send(_cancel(build.id))
    await world.drain()
    return world.crashes.calls - before


async def test_a_crash_at_any_call_ends_in_the_same_state() -> None:
    calls = await _calls()
    assert calls > 10
    for number in range(1, calls + 1):
        world = World(crashes=Crashes())
        build = await _until(world, Phase.VERIFYING)
        world.crashes.at = world.crashes.calls + number
        world.send(_cancel(build.id))
        await world.drain()
        ended = await _build(world)
        assert ended.phase is Phase.CANCELLED, number
        assert {a.name for a in world.outbox.announced} == {"BuildCancelled"}, number
        assert world.vms.vms == {}, number
