"""Retention over fakes: marked, announced, looked at again, deleted; and what never goes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.image_definition import ParentSource
from shared.domain.image_version import VersionState
from shared.domain.release_rules import RetentionRule
from shared.messages import MoveChannel, RetireImages, RetireVersion, RevokeVersion, StartBuild
from shared.ports import RunCommandStatus, ScaleSetModel
from tests.fakes.definitions import ubuntu
from tests.fakes.world import World
from tests.unit.factory.test_channels_flow import (
    NAME,
    SOURCES,
    V1,
    V2,
    V3,
    latest,
    names,
    released,
    runs,
)
from tests.unit.factory.test_publish_flow import version_of

RULE = RetentionRule(keep=1, dry_run=False)
LIFE, NOTICE = timedelta(days=91), timedelta(days=8)
SOON = timedelta(minutes=20)


async def three(rule: RetentionRule | None = RULE, **changes: Any) -> World:
    """Return a world with three versions, the first two of them aged."""
    definition = ubuntu(retention=rule, **changes.pop("definition", {}))
    return await released(3, definitions={NAME: definition}, **changes)


def held(world: World) -> set[str]:
    return {h.version for h in world.gallery.held.values()}


@pytest.mark.parametrize("twice", [False, True])
async def test_an_aged_version_goes_after_its_end_of_life_and_the_notice(twice: bool) -> None:
    world = await three(twice=twice)

    await world.timer(LIFE)
    assert held(world) == {V1, V2, V3}
    plan = (await version_of(world, V1)).retirement
    assert plan
    assert plan.delete_after == plan.marked_at + timedelta(days=7)
    assert names(world).count("ImageRetiring") == 2

    await world.timer(NOTICE)
    await world.timer(SOON)

    assert held(world) == {V3}
    first = await version_of(world, V1)
    assert first.state is VersionState.RETIRED
    assert first.deleted_at is not None
    assert first.tattoo["version"] == V1
    assert names(world).count("ImageRetired") == 2
    assert latest(world) == V3
    assert (await world.records.parked.list()).items == ()


async def test_nothing_goes_before_its_end_of_life() -> None:
    world = await three(RetentionRule(keep=1, max_age=timedelta(days=1), dry_run=False))

    await world.timer(timedelta(days=30))
    await world.timer(NOTICE)

    assert held(world) == {V1, V2, V3}
    assert "ImageRetiring" not in names(world)


async def test_by_age_alone_where_azure_does_not_block_it() -> None:
    world = await three(
        RetentionRule(keep=1, max_age=timedelta(days=1), dry_run=False),
        definition={"block_deletion": False},
    )

    await world.timer(timedelta(days=2))
    await world.timer(NOTICE)

    assert held(world) == {V3}


async def test_the_newest_versions_are_kept() -> None:
    world = await three(replace(RULE, keep=2))

    await world.timer(LIFE)
    await world.timer(NOTICE)

    assert held(world) == {V2, V3}


@pytest.mark.parametrize("rule", [None, RetentionRule(keep=1)])
async def test_nothing_goes_without_a_rule_nor_in_a_dry_run(rule: RetentionRule | None) -> None:
    world = await three(rule)

    await world.timer(LIFE)
    await world.timer(NOTICE)

    assert held(world) == {V1, V2, V3}
    assert (await version_of(world, V1)).retirement is None


async def test_what_a_vm_runs_is_not_marked() -> None:
    world = await three()
    await runs(world, V1)

    await world.timer(LIFE)
    await world.timer(NOTICE)

    assert held(world) == {V1, V3}


async def test_what_came_into_use_since_it_was_marked_is_spared() -> None:
    world = await three()
    await world.timer(LIFE)
    image_id = world.gallery.image_id(world.definitions[NAME])
    world.fleet.models[image_id] = [ScaleSetModel(resource_id="/vmss/a", version=V2)]

    await world.timer(NOTICE)

    assert held(world) == {V2, V3}
    second = await version_of(world, V2)
    assert second.retirement is None
    assert (second.history[-1].new, second.history[-1].because) == (
        "called off",
        "scale set /vmss/a makes its instances from it",
    )


async def test_a_scale_set_that_takes_the_latest_holds_no_old_version() -> None:
    world = await three()
    image_id = world.gallery.image_id(world.definitions[NAME])
    world.fleet.models[image_id] = [ScaleSetModel(resource_id="/vmss/a", version="")]

    await world.timer(LIFE)
    await world.timer(NOTICE)

    assert held(world) == {V3}


async def test_what_a_channel_fell_back_to_is_spared() -> None:
    world = await three()
    await world.timer(LIFE)
    back = MoveChannel(
        definition=NAME, channel="stable", image_version=V2, by="a", because="b", request="r"
    )
    world.send(back)
    await world.drain()

    await world.timer(NOTICE)

    assert held(world) == {V2, V3}
    assert latest(world) == V2


async def test_the_last_good_version_stays_though_all_others_are_revoked() -> None:
    world = await three()
    for number, version in enumerate((V3, V2)):
        world.send(
            RevokeVersion(
                definition=NAME, image_version=version, by="a", because="b", request=f"r{number}"
            )
        )
    await world.drain()

    await world.timer(LIFE)
    await world.timer(NOTICE)

    assert V1 in held(world)
    assert latest(world) == V1


async def test_rejected_versions_go_after_two_weeks() -> None:
    world = await three()
    world.vms.answers["check-agent"] = RunCommandStatus(finished=True, exit_code=1)
    await world.build(SOURCES[3])
    rejected = (held(world) - {V1, V2, V3}).pop()

    await world.timer(timedelta(days=15))

    assert rejected not in held(world)
    row = await version_of(world, rejected)
    assert row.state is VersionState.REJECTED
    assert row.deleted_at == world.now


async def test_a_person_retires_a_version_and_the_notice_is_kept() -> None:
    world = await three(None, definition={"block_deletion": False})
    retire = RetireVersion(definition=NAME, image_version=V1, by="ada", because="no longer wanted")
    world.send(retire)
    world.send(retire)
    await world.drain()
    assert held(world) == {V1, V2, V3}
    assert names(world).count("ImageRetiring") == 1

    await world.timer(NOTICE)

    assert held(world) == {V2, V3}


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (V3, "cannot be retired: channel canary shows it"),
        (V1, "cannot be retired: Azure blocks its deletion until its end of life"),
        ("9.9.9", "there is no version 9.9.9 of ubuntu-22-04"),
    ],
)
async def test_a_person_cannot_retire_what_is_needed(version: str, reason: str) -> None:
    world = await three()

    world.send(RetireVersion(definition=NAME, image_version=version, by="ada", because="b"))
    await world.drain()

    assert reason in (await world.records.parked.list()).items[0].reason


async def _retired(at: int | None) -> World:
    world = await three()
    await world.timer(LIFE - timedelta(hours=1))
    world.crashes.calls, world.crashes.at = 0, at
    world.send(RetireImages(definition=NAME))
    await world.drain()
    await world.timer(timedelta(hours=2))
    await world.timer(NOTICE)
    await world.timer(SOON)
    await world.timer(SOON)
    return world


async def test_killed_at_every_call_versions_are_retired_and_told_once() -> None:
    calls = (await _retired(None)).crashes.calls
    assert calls > 40

    for at in range(1, calls + 1):
        world = await _retired(at)

        assert held(world) == {V3}, at
        told = names(world)
        assert (told.count("ImageRetiring"), told.count("ImageRetired")) == (2, 2), at


async def test_a_build_under_way_holds_the_version_it_is_made_from() -> None:
    parent = ParentSource(image=NAME, channel="stable")
    world = await three()
    await world.timer(LIFE)
    world.definitions["web"] = ubuntu(name="web", source=parent, sku="web")
    world.stop_at = world.now
    world.send(StartBuild(definition="web", source_version=V1, requested_by="http"))
    await world.drain()

    world.now += NOTICE
    world.stop_at = world.now
    world.send(RetireImages(definition=NAME))
    await world.drain()

    assert (await version_of(world, V2)).state is VersionState.RETIRED
    first = await version_of(world, V1)
    assert first.state is VersionState.AGED
    assert first.history[-1].because.endswith(" is made from it")
