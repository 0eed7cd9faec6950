"""Channels over fakes: soak, gates, approvals, waves, rollback; once, twice, killed at any call."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.channel import ImageChannels, MoveKind
from shared.domain.image_definition import TargetRegion
from shared.domain.image_version import VersionState
from shared.domain.release_rules import ChannelRule
from shared.messages import (
    ApproveImage,
    MoveChannel,
    RecordPolicyState,
    RestoreVersion,
    RevokeVersion,
    TrackImageVersion,
    TrackVm,
)
from tests.fakes.definitions import ubuntu
from tests.fakes.fleet import vm_facts
from tests.fakes.world import World
from tests.unit.factory.test_publish_flow import new_world, version_of

NAME = "ubuntu-22-04"
SOURCES = ("22.04.202409120", "22.04.202411080", "22.04.202412010", "22.04.202501010")
V1, V2, V3 = (f"1.20261122.{n}" for n in (1, 2, 3))
SOON = timedelta(minutes=20)


async def channels_of(world: World) -> ImageChannels:
    stored = await world.records.channels.get(NAME)
    assert stored
    return stored.value


async def shown(world: World) -> dict[str, str]:
    return {c.name: c.version for c in (await channels_of(world)).channels}


def latest(world: World, region: str = "westeurope") -> str | None:
    """Return what Azure's latest means in *region*, by the fake gallery alone."""
    offered = [
        h.version
        for h in world.gallery.held.values()
        if not h.excluded and region in h.replicated and region not in h.excluded_regions
    ]
    return max(offered, key=lambda v: [int(n) for n in v.split(".")], default=None)


async def released(count: int = 1, **changes: Any) -> World:
    """Return a world with *count* versions that went all the way, one after the other."""
    world = new_world(**changes)
    for source in SOURCES[:count]:
        await world.build(source)
    return world


async def on_trial(**changes: Any) -> World:
    """Return a world with one version in canary that soaks for longer than anybody waits."""
    rules = (ChannelRule(name="canary", soak=timedelta(days=3)), ChannelRule(name="stable"))
    world = new_world(definitions={NAME: ubuntu(channels=rules)}, **changes)
    build = world.build(SOURCES[0])
    world.stop_at = world.now + timedelta(days=1)
    await build
    return world


def roll_back(request: str = "r1", **changes: Any) -> MoveChannel:
    return replace(
        MoveChannel(
            definition=NAME, channel="stable", by="ada", because="it is slow", request=request
        ),
        **changes,
    )


def revoke(version: str, request: str = "r1", **changes: Any) -> RevokeVersion:
    return replace(
        RevokeVersion(
            definition=NAME, image_version=version, by="ada", because="CVE", request=request
        ),
        **changes,
    )


def names(world: World) -> list[str]:
    """Return the announcements once each, in their order."""
    seen = {a.event_id: a.name for a in world.outbox.announced}
    return list(seen.values())


async def test_a_release_waits_in_canary_while_latest_stays() -> None:
    world = await on_trial()

    assert await shown(world) == {"canary": V1, "stable": ""}
    assert latest(world) is None
    stable = (await channels_of(world)).channel("stable")
    assert stable.waiting.startswith(f"{V1} soaks in canary until 2026-11-25")


@pytest.mark.parametrize("twice", [False, True])
async def test_after_its_soak_time_it_is_what_latest_means(twice: bool) -> None:
    world = await released(2, twice=twice)

    assert await shown(world) == {"canary": V2, "stable": V2}
    assert latest(world) == V2
    moves = (await channels_of(world)).channel("stable").moves
    assert [(m.kind, m.old, m.new, m.by) for m in moves] == [
        (MoveKind.PROMOTED, "", V1, "assay"),
        (MoveKind.PROMOTED, V1, V2, "assay"),
    ]
    assert names(world).count("ImagePromoted") == 2
    assert names(world).count("ImageAged") == 1
    first = await version_of(world, V1)
    assert first.state is VersionState.AGED
    assert first.end_of_life
    assert world.gallery.held[first.resource_id].end_of_life == first.end_of_life
    assert world.gallery.held[first.resource_id].deletion_blocked


async def test_repeats_do_not_multiply_looks() -> None:
    once, twice = await released(2), await released(2, twice=True)

    assert twice.delivered.count("promote_image") <= 8 * once.delivered.count("promote_image")


async def runs(world: World, version: str, name: str = "vm-1") -> str:
    image_id = world.gallery.image_id(world.definitions[NAME])
    facts = vm_facts(name, image_id=image_id, version=version)
    resource_id = world.fleet.put(facts)
    world.send(TrackVm(resource_id=resource_id))
    await world.drain()
    return resource_id


def says(resource_id: str, state: str, world: World) -> RecordPolicyState:
    return RecordPolicyState(
        resource_id=resource_id,
        assignment_id="a",
        definition_id="d",
        reference_id="",
        state=state,
        timestamp=world.now,
    )


async def test_a_vm_out_of_policy_holds_its_version_in_canary() -> None:
    world = await on_trial()
    resource_id = await runs(world, V1)
    world.send(says(resource_id, "NonCompliant", world))
    await world.drain()

    world.stop_at = None
    await world.timer(timedelta(days=4))

    assert await shown(world) == {"canary": V1, "stable": ""}
    waiting = (await channels_of(world)).channel("stable").waiting
    assert waiting == f"{V1} is not promoted to stable: vm-1 is noncompliant"

    world.now += timedelta(hours=1)
    world.send(says(resource_id, "Compliant", world))
    await world.drain()
    await world.timer(SOON)

    assert await shown(world) == {"canary": V1, "stable": V1}
    assert latest(world) == V1


async def test_an_approval_is_waited_for_and_kept() -> None:
    rules = (ChannelRule(name="canary"), ChannelRule(name="stable", approval=True))
    world = await released(definitions={NAME: ubuntu(channels=rules)})
    assert await shown(world) == {"canary": V1, "stable": ""}
    waiting = (await channels_of(world)).channel("stable").waiting
    assert waiting == f"{V1} waits for somebody's approval to enter stable"

    approve = ApproveImage(
        definition=NAME, channel="stable", image_version=V1, by="ada", because="tested by hand"
    )
    world.send(approve)
    world.send(approve)
    await world.drain()

    assert await shown(world) == {"canary": V1, "stable": V1}
    assert [
        (a.version, a.channel, a.by, a.because) for a in (await channels_of(world)).approvals
    ] == [(V1, "stable", "ada", "tested by hand")]


async def test_waves_open_region_by_region() -> None:
    rules = (
        ChannelRule(name="canary"),
        ChannelRule(
            name="stable",
            waves=(("northeurope",), ("westeurope",)),
            wave_soak=timedelta(hours=2),
        ),
    )
    world = new_world(definitions={NAME: ubuntu(channels=rules)})
    await world.build(SOURCES[0])
    world.stop_at = world.now + timedelta(minutes=100)
    await world.build(SOURCES[1])

    assert (latest(world, "northeurope"), latest(world, "westeurope")) == (V2, V1)
    row = await version_of(world, V2)
    assert row.regions == ("northeurope",)

    world.stop_at = None
    await world.drain()

    assert (latest(world, "northeurope"), latest(world, "westeurope")) == (V2, V2)


@pytest.mark.parametrize("twice", [False, True])
async def test_a_rollback_takes_the_newer_version_out_of_latest(twice: bool) -> None:
    world = await released(2, twice=twice)
    await runs(world, V2)

    world.send(roll_back())
    world.send(roll_back())
    await world.drain()

    assert await shown(world) == {"canary": V2, "stable": V1}
    assert latest(world) == V1
    assert (await version_of(world, V1)).state is VersionState.RELEASED
    assert (await version_of(world, V2)).withdrawn == "it is slow"
    assert names(world).count("ImageRolledBack") == 1
    record = (await world.records.vms.list(_of(V2))).items[0]
    assert record.verdict == "aged"
    assert record.reason == (
        f"Version {V2} of ubuntu-22-04 was taken back (it is slow); redeploy from {V1}."
    )


def _of(version: str) -> Any:
    from shared.ports import VmFilter  # noqa: PLC0415 - for brevity

    return VmFilter(image=NAME, version=version)


async def test_what_was_taken_back_is_not_promoted_again_but_the_next_release_is() -> None:
    world = await released(2)
    world.send(roll_back())
    await world.drain()

    await world.timer(timedelta(days=2))
    assert await shown(world) == {"canary": V2, "stable": V1}

    await world.build(SOURCES[2])
    newest = (await shown(world))["canary"]
    assert await shown(world) == {"canary": newest, "stable": newest}
    assert latest(world) == newest
    hidden = [h.version for h in world.gallery.held.values() if h.excluded]
    assert hidden == [V2]


async def test_a_rollback_with_nothing_to_go_back_to_is_refused() -> None:
    world = await released(1)

    world.send(roll_back())
    await world.drain()

    parked = (await world.records.parked.list()).items
    assert "showed no other good version before" in parked[0].reason
    assert latest(world) == V1


async def test_a_person_promotes_without_waiting() -> None:
    world = await on_trial()

    world.send(roll_back(image_version=V1, because="we need it now"))
    world.stop_at = world.now + timedelta(hours=1)
    await world.drain()

    assert await shown(world) == {"canary": V1, "stable": V1}
    assert latest(world) == V1


@pytest.mark.parametrize("twice", [False, True])
async def test_a_revoked_version_is_hidden_everywhere_and_its_vms_are_judged(twice: bool) -> None:
    world = await released(2, twice=twice)
    await runs(world, V2)

    world.send(revoke(V2))
    await world.drain()

    assert await shown(world) == {"canary": V1, "stable": V1}
    assert [latest(world, r) for r in ("westeurope", "northeurope")] == [V1, V1]
    row = await version_of(world, V2)
    assert row.state is VersionState.REVOKED
    assert row.excluded_from_latest
    assert world.gallery.held[row.resource_id].tags["assay-state"] == "revoked"
    record = (await world.records.vms.list(_of(V2))).items[0]
    assert record.verdict == "revoked"
    assert f"was revoked (CVE); redeploy from {V1} now" in record.reason
    assert names(world).count("ImageRevoked") == 1
    said = next(a for a in world.outbox.announced if a.name == "ImageRevoked")
    assert (said.data["by"], said.data["reason"], said.data["teams"]) == ("ada", "CVE", ["web"])


@pytest.mark.parametrize("twice", [False, True])
async def test_a_restored_version_returns_to_its_channels(twice: bool) -> None:
    world = await released(2, twice=twice)
    world.send(revoke(V2))
    await world.drain()

    world.send(
        RestoreVersion(
            definition=NAME, image_version=V2, by="ada", because="false alarm", request="r2"
        )
    )
    await world.drain()

    assert await shown(world) == {"canary": V2, "stable": V2}
    assert latest(world) == V2
    assert (await version_of(world, V2)).state is VersionState.RELEASED
    assert names(world).count("ImageRestored") == 1
    assert (await world.records.parked.list()).items == ()


async def test_the_last_good_version_is_not_revoked_unless_it_is_forced() -> None:
    world = await released(1)

    world.send(revoke(V1))
    await world.drain()
    parked = (await world.records.parked.list()).items
    assert "is the last good one of channel stable" in parked[0].reason
    assert latest(world) == V1

    world.send(revoke(V1, "r2", force=True))
    await world.drain()
    assert await shown(world) == {"canary": "", "stable": ""}
    assert latest(world) is None
    gone = [a for a in world.outbox.announced if a.name == "ImageRolledBack"]
    assert {a.data["version"] for a in gone} == {None}


async def test_two_revocations_at_once_leave_one_good_version() -> None:
    world = await released(2)

    world.send(revoke(V1, "r1"))
    world.send(revoke(V2, "r2"))
    await world.drain()

    assert latest(world) == V2
    assert len((await world.records.parked.list()).items) == 1


async def test_a_revocation_can_be_set_for_a_time() -> None:
    world = await released(2)
    at = world.now + timedelta(days=2)

    world.send(revoke(V2, at=at))
    world.stop_at = at - timedelta(hours=1)
    await world.drain()
    assert latest(world) == V2

    world.stop_at = None
    await world.drain()
    assert world.now >= at
    assert latest(world) == V1
    assert names(world).count("ImageRevoked") == 1


async def test_a_set_revocation_waits_while_it_would_leave_nothing() -> None:
    world = await released(2)
    world.send(revoke(V2, "r1", at=world.now + timedelta(hours=5)))
    world.send(revoke(V1, "r2"))
    world.stop_at = world.now + timedelta(hours=9)
    await world.drain()

    assert latest(world) == V2

    world.stop_at = None
    await world.build(SOURCES[2])
    await world.timer(timedelta(hours=2))

    assert (await version_of(world, V2)).state is VersionState.REVOKED
    assert latest(world) == (await shown(world))["stable"] != V2


async def test_a_version_somebody_deleted_is_fallen_back_from() -> None:
    world = await released(2)
    world.gallery.remove(world.gallery.image_id(world.definitions[NAME]), V2)
    row = await world.records.image_versions.get(NAME, V2)
    assert row
    await world.records.image_versions.save(replace(row, value=replace(row.value, aligned_with="")))

    await world.timer(SOON)

    assert await shown(world) == {"canary": V1, "stable": V1}


async def test_a_region_added_to_the_definition_is_replicated_to() -> None:
    world = await released(1)
    more = (*ubuntu().regions, TargetRegion(name="swedencentral"))
    world.definitions[NAME] = ubuntu(regions=more)

    await world.timer(SOON)

    held = world.gallery.held[(await version_of(world, V1)).resource_id]
    assert set(held.regions) == {"westeurope", "northeurope", "swedencentral"}
    assert latest(world, "swedencentral") == V1


async def test_a_region_taken_out_of_the_definition_is_never_taken_from_a_version() -> None:
    world = await released(1)
    world.definitions[NAME] = ubuntu(regions=ubuntu().regions[:1])

    await world.build(SOURCES[1])

    held = world.gallery.held[(await version_of(world, V1)).resource_id]
    assert set(held.regions) == {"westeurope", "northeurope"}


async def test_replicas_follow_the_fleet_within_the_definition() -> None:
    regions = (TargetRegion(name="westeurope", max_replicas=5), TargetRegion(name="northeurope"))
    world = await released(1, definitions={NAME: ubuntu(regions=regions)})
    image_id = world.gallery.image_id(world.definitions[NAME])
    held = world.gallery.held[f"{image_id}/versions/{V1}"]
    assert held.regions == {"westeurope": 3, "northeurope": 1}

    for number in range(70):
        await runs(world, V1, f"vm-{number}")
    await world.timer(timedelta(days=2))

    assert held.regions == {"westeurope": 4, "northeurope": 1}


async def test_what_an_older_release_of_assay_published_stays_latest() -> None:
    world = new_world()
    await world.build(SOURCES[0])
    world.records.channels = type(world.records.channels)()
    world = _rejoined(world)

    await world.timer(SOON)

    assert latest(world) == V1
    stored = await world.records.channels.get(NAME)
    assert stored is None or stored.value.channel("stable").version == V1


def _rejoined(world: World) -> World:
    """Return *world* with the channels its register has now."""
    ports = dict(world.dispatcher.ports) | {"channels": world.records.channels}
    world.dispatcher = replace(world.dispatcher, ports=ports)
    world.intake = replace(world.intake, dispatcher=world.dispatcher)
    return world


async def _after_crash(at: int | None) -> World:
    """Release two versions, then revoke the second and restore it; die at call *at* of that."""
    world = await released(2)
    world.crashes.calls, world.crashes.at = 0, at
    world.send(revoke(V2))
    await world.drain()
    await world.timer(timedelta(hours=1))
    world.send(RestoreVersion(definition=NAME, image_version=V2, by="a", because="b", request="r2"))
    await world.drain()
    await world.timer(timedelta(hours=1))
    await world.timer(timedelta(hours=1))
    return world


async def test_killed_at_every_call_a_revocation_and_its_undoing_end_the_same() -> None:
    calls = (await _after_crash(None)).crashes.calls
    assert calls > 50

    for at in range(1, calls + 1):
        world = await _after_crash(at)

        assert await shown(world) == {"canary": V2, "stable": V2}, at
        assert latest(world) == V2, at
        assert (await version_of(world, V2)).state is VersionState.RELEASED, at
        told = names(world)
        for name, count in (("ImageRevoked", 1), ("ImageRestored", 1), ("ImageRolledBack", 2)):
            assert told.count(name) == count, (at, name)
        assert (await world.records.parked.list()).items == (), at


async def _promoted(at: int | None) -> World:
    world = await released(1)
    world.crashes.calls, world.crashes.at = 0, at
    await world.build(SOURCES[1])
    await world.timer(timedelta(hours=1))
    await world.timer(timedelta(hours=1))
    return world


async def test_killed_at_every_call_a_second_release_is_promoted_once() -> None:
    calls = (await _promoted(None)).crashes.calls

    for at in range(1, calls + 1):
        world = await _promoted(at)

        assert latest(world) == V2, at
        assert (await version_of(world, V1)).state is VersionState.AGED, at
        told = names(world)
        assert (told.count("ImagePromoted"), told.count("ImageAged")) == (2, 1), at
        assert len((await channels_of(world)).channel("stable").moves) == 2, at


async def test_an_update_of_the_gallery_that_comes_late_is_set_right_by_its_event() -> None:
    """A revocation's own update arrives after the version was restored and shown again."""
    world = await released()
    (resource_id, held), *_ = world.gallery.held.items()
    assert latest(world) == V1
    held.excluded = True
    world.send(TrackImageVersion(resource_id=resource_id))
    await world.drain()
    assert latest(world) == V1
