"""Looking for new versions in the Marketplace."""

import pytest

from shared.messages import Announcement, DetectSource, StartBuild
from tests.fakes.definitions import UBUNTU_SOURCE, ubuntu
from tests.fakes.world import NOON, World

URN = UBUNTU_SOURCE.urn
LOOK = DetectSource(definition="ubuntu-22-04")


async def look(world: World) -> list[Announcement]:
    before = len(world.outbox.announced)
    world.send(LOOK)
    await world.drain()
    return world.outbox.announced[before:]


async def test_the_numerically_newest_version_is_announced() -> None:
    world = World()
    world.marketplace.listed[URN] = ["22.04.202411080", "22.04.20250101", "22.04.9"]

    (announced,) = await look(world)

    assert announced.name == "SourceVersionPublished"
    assert announced.data == {
        "publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy",
        "sku": "22_04-lts-gen2", "version": "22.04.202411080",
    }  # fmt: skip


async def test_it_is_announced_under_the_same_id_until_a_build_exists() -> None:
    world = World()

    (first,) = await look(world)
    (second,) = await look(world)
    world.send(
        StartBuild(definition="ubuntu-22-04", source_version="22.04.202411080", requested_by="x")
    )
    world.outbox.fail_next("send", RuntimeError("the build stays queued"), times=100)
    with pytest.raises(RuntimeError):
        await world.drain()

    assert first.event_id == second.event_id
    assert (await world.records.builds.list()).items != ()
    world.outbox.fail_next("send", RuntimeError(""), times=0)


async def test_what_was_seen_is_kept_and_an_unchanged_look_writes_nothing() -> None:
    world = World()
    await look(world)
    first = await world.records.sources.get(URN)
    world.now = NOON.replace(hour=18)
    await look(world)

    assert first
    assert first.value.version == "22.04.202411080"
    assert first.value.announced_at == NOON
    assert await world.records.sources.get(URN) == first


@pytest.mark.parametrize("listed", [{}, {URN: []}, {URN: ["latest"]}])
async def test_a_source_without_a_version_is_shown_as_a_problem(
    listed: dict[str, list[str]],
) -> None:
    world = World()
    world.marketplace.listed = listed

    assert await look(world) == []

    stored = await world.records.sources.get(URN)
    assert stored
    assert stored.value.problem


async def test_a_problem_that_goes_away_is_forgotten() -> None:
    world = World()
    world.marketplace.listed = {}
    await look(world)
    world.marketplace.listed = {URN: ["22.04.202411080"]}
    await look(world)

    stored = await world.records.sources.get(URN)
    assert stored
    assert stored.value.problem == ""


async def test_a_definition_that_is_no_more_is_parked_with_the_names_there_are() -> None:
    world = World(definitions={"ubuntu-22-04": ubuntu(), "debian": ubuntu(name="debian")})
    world.send(DetectSource(definition="centos"))
    await world.drain()

    (parked,) = (await world.records.parked.list()).items
    assert "those in the images folder are: debian, ubuntu-22-04" in parked.reason


async def test_a_source_version_that_is_no_number_is_parked() -> None:
    world = World()
    world.send(StartBuild(definition="ubuntu-22-04", source_version="latest", requested_by="x"))
    await world.drain()

    (parked,) = (await world.records.parked.list()).items
    assert "'latest' for ubuntu-22-04 is not a dotted version number" in parked.reason
