"""Definitions that fail again and again pause themselves; what ends the pause."""

import pytest

from shared.domain.build import Phase
from shared.domain.definition_state import FAILURES, DefinitionState
from shared.domain.failure import Failure, FailureClass
from shared.errors import NotFoundError
from shared.factory.pause_definition import pause_definition
from shared.messages import PauseDefinition, ResumeDefinition, StartBuild
from shared.ports import RunCommandStatus
from tests.fakes.definitions import shell, ubuntu
from tests.fakes.world import NOON, Crashes, World
from tests.unit.factory.test_publish_flow import new_world

NAME = "ubuntu-22-04"
FAILED = RunCommandStatus(finished=True, exit_code=1)


def failing(**changes: object) -> World:
    """Return a world whose every build is rejected, and which pauses after two of them."""
    world = new_world(definitions={NAME: ubuntu(repairs=(), pause_after=2)}, **changes)
    world.vms.answers["check-sshd"] = FAILED
    return world


async def state_of(world: World) -> DefinitionState:
    stored = await world.records.definition_states.get(NAME)
    assert stored
    return stored.value


async def released(world: World, version: str, *, by: str = "source-version") -> None:
    """Let the source have a new version, as an event tells it."""
    world.marketplace.listed[ubuntu().source.urn].append(version)
    world.send(StartBuild(definition=NAME, source_version=version, requested_by=by))
    await world.drain()


async def versions_built(world: World) -> list[str]:
    builds = (await world.records.builds.list(definition=NAME)).items
    return sorted(b.source_version for b in builds)


@pytest.mark.parametrize("twice", [False, True])
async def test_after_so_many_failures_in_a_row_the_definition_is_paused_and_says_so(
    twice: bool,
) -> None:
    world = failing(twice=twice)
    await released(world, "1.0.1")
    assert not (await state_of(world)).paused

    await released(world, "1.0.2")

    state = await state_of(world)
    assert (state.paused, state.paused_by, state.failures) == (True, FAILURES, 2)
    said = [a for a in world.outbox.announced if a.name == "DefinitionPaused"]
    assert len({a.event_id for a in said}) == 1
    assert said[0].data["failures"] == 2
    assert "2 builds in a row ended without a release" in str(said[0].data["reason"])


async def test_a_release_ends_the_row() -> None:
    world = failing()
    await released(world, "1.0.1")
    world.vms.answers.pop("check-sshd")
    await released(world, "1.0.2")
    world.vms.answers["check-sshd"] = FAILED
    await released(world, "1.0.3")

    assert (await state_of(world)).failures == 1
    assert not (await state_of(world)).paused


@pytest.mark.parametrize("twice", [False, True])
async def test_a_newer_source_version_ends_the_pause_and_is_built(twice: bool) -> None:
    world = failing(twice=twice)
    await released(world, "1.0.1")
    await released(world, "1.0.2")
    world.vms.answers.pop("check-sshd")

    await released(world, "1.0.10")

    state = await state_of(world)
    assert not state.paused
    assert state.failures == 0
    assert await versions_built(world) == ["1.0.1", "1.0.10", "1.0.2"]
    said = [a for a in world.outbox.announced if a.name == "DefinitionResumed"]
    assert len({a.event_id for a in said}) == 1
    assert said[0].data["reason"] == "source version 1.0.10 is newer than 1.0.2"


async def test_an_older_source_version_does_not_end_the_pause() -> None:
    world = failing()
    await released(world, "1.0.1")
    await released(world, "1.0.2")

    await released(world, "1.0.0")

    assert (await state_of(world)).paused
    assert await versions_built(world) == ["1.0.1", "1.0.2"]


async def test_a_changed_definition_ends_the_pause() -> None:
    world = failing()
    await released(world, "1.0.1")
    await released(world, "1.0.2")
    world.definitions[NAME] = ubuntu(pause_after=2, customizers=(shell("mended"),))

    await released(world, "1.0.2")

    builds = (await world.records.builds.list(definition=NAME)).items
    assert len(builds) == 3
    assert (await state_of(world)).history[-1].because == "the definition was changed"


async def test_a_forced_build_ends_the_pause_and_one_that_is_not_does_not() -> None:
    world = failing()
    await released(world, "1.0.1")
    await released(world, "1.0.2")
    await released(world, "0.9.0", by="http")
    assert await versions_built(world) == ["1.0.1", "1.0.2"]

    world.send(
        StartBuild(definition=NAME, source_version="1.0.2", requested_by="http", force="token")
    )
    await world.drain()

    assert await versions_built(world) == ["1.0.1", "1.0.2", "1.0.2"]


@pytest.mark.parametrize("twice", [False, True])
async def test_what_a_person_paused_only_a_person_resumes(twice: bool) -> None:
    world = new_world(twice=twice)
    world.send(PauseDefinition(definition=NAME, by="a-person", why="holidays"))
    await world.drain()
    await released(world, "22.04.202411080")
    assert await versions_built(world) == []

    world.send(ResumeDefinition(definition=NAME, by="a-person", why="back"))
    await world.drain()
    await released(world, "22.04.202411080")

    assert await versions_built(world) == ["22.04.202411080"]
    names = [a.name for a in world.outbox.announced]
    assert {"DefinitionPaused", "DefinitionResumed"} <= set(names)


async def test_a_definition_that_may_fail_for_ever_is_never_paused() -> None:
    world = new_world(definitions={NAME: ubuntu(repairs=(), pause_after=0)})
    world.vms.answers["check-sshd"] = FAILED
    for n in range(5):
        await released(world, f"1.0.{n}")

    assert not (await state_of(world)).paused
    assert (await state_of(world)).failures == 5


async def test_a_cancelled_run_counts_neither_way() -> None:
    world = failing()
    cancelled = Failure(failure_class=FailureClass.CANCELLED, message="cancelled by someone")
    create = world.image_builder.create

    async def create_cancelled(spec: object) -> None:
        world.image_builder.fail_run(spec.name, cancelled)  # type: ignore[attr-defined]
        await create(spec)  # type: ignore[arg-type]

    world.image_builder.create = create_cancelled  # type: ignore[method-assign]
    await released(world, "1.0.1")

    assert (await world.records.builds.list()).items[0].phase is Phase.FAILED
    assert await world.records.definition_states.get(NAME) is None


async def test_killed_here_and_there_the_failures_are_counted_once() -> None:
    world = failing()
    await released(world, "1.0.1")
    await released(world, "1.0.2")
    calls = world.crashes.calls
    for at in range(calls // 2, calls + 1):
        world = failing(crashes=Crashes(at=at))
        await released(world, "1.0.1")
        await released(world, "1.0.2")
        state = await state_of(world)
        assert (state.failures, state.paused_by) == (2, FAILURES), at
        assert "DefinitionPaused" in {a.name for a in world.outbox.announced}, at


async def test_an_image_that_is_not_there_cannot_be_paused() -> None:
    world = World()
    with pytest.raises(NotFoundError):
        await pause_definition(
            PauseDefinition(definition="nobody", by="x", why="y"),
            definitions=world.definitions,
            definition_states=world.records.definition_states,
            now=NOON,
        )
