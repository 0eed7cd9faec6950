"""From a parent's release to its children's: chains, over fakes, delivered twice and killed."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.build import Build, Phase
from shared.domain.channel import ImageChannels, MoveKind
from shared.domain.image_definition import ImageDefinition, ParentSource, TargetRegion
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.release_rules import ChannelRule
from shared.factory.lineage import descendants
from shared.messages import DetectSource, MoveChannel, RebuildChildren, RevokeVersion, StartBuild
from shared.ports import RunCommandStatus, Stored
from tests.fakes.definitions import ubuntu
from tests.fakes.world import Crashes, World

ONE_CHANNEL = (ChannelRule(name="stable"),)
PARENT = ubuntu(name="base", channels=ONE_CHANNEL)
SOURCE_VERSION = "22.04.202411080"
FIRST, SECOND = "1.20261122.1", "1.20261122.2"


def child(name: str = "web", parent: str = "base", **changes: Any) -> ImageDefinition:
    source = ParentSource(image=parent, channel="stable")
    return ubuntu(**{"channels": ONE_CHANNEL, "name": name, "source": source, **changes})


def new_world(*definitions: ImageDefinition, **options: Any) -> World:
    known = definitions or (PARENT, child())
    world = World(definitions={d.name: d for d in known}, **options)
    read = world.vms.command_status

    async def command_status(vm_name: str, name: str) -> RunCommandStatus | None:
        """Let each guest show the tattoo its own template wrote."""
        status = await read(vm_name, name)
        if name != "check-tattoo" or status is None or not status.finished:
            return status
        spec = world.image_builder.templates[vm_name.removesuffix("-verify")].spec
        facts = spec.customizers[-1].script.split("<<'ASSAY_TATTOO'\n")[1]
        return replace(status, output=facts.split("ASSAY_TATTOO\n", maxsplit=1)[0])

    world.vms.command_status = command_status  # type: ignore[method-assign]
    return world


async def builds_of(world: World, name: str) -> list[Build]:
    return list((await world.records.builds.list(definition=name)).items)


async def version_of(world: World, name: str, number: str) -> ImageVersion:
    stored = await world.records.image_versions.get(name, number)
    assert stored is not None
    return stored.value


async def release_parent(world: World, source_version: str = SOURCE_VERSION) -> None:
    world.send(StartBuild(definition="base", source_version=source_version, requested_by="http"))
    await world.drain()


@pytest.mark.parametrize("twice", [False, True])
async def test_a_release_of_the_parent_is_built_into_the_child(twice: bool) -> None:
    world = new_world(twice=twice)

    await release_parent(world)
    (build,) = await builds_of(world, "web")
    version = await version_of(world, "web", FIRST)

    assert build.phase is Phase.RELEASED
    assert (build.requested_by, build.source_urn) == ("parent-version", "base@stable")
    assert (build.source_version, build.forced) == (FIRST, False)
    assert version.state is VersionState.RELEASED
    assert version.parent is not None
    assert version.parent.resource_id == (await version_of(world, "base", FIRST)).resource_id


async def test_the_child_is_made_from_exactly_the_parents_gallery_version() -> None:
    world = new_world()
    specs = []
    create = world.image_builder.create

    async def keep(spec: Any) -> None:
        specs.append(spec)
        await create(spec)

    world.image_builder.create = keep  # type: ignore[method-assign]

    await release_parent(world)

    parent_id = (await version_of(world, "base", FIRST)).resource_id
    assert [(s.definition.name, s.parent_id) for s in specs] == [("base", ""), ("web", parent_id)]


async def test_the_childs_tattoo_names_parent_and_marketplace_image() -> None:
    world = new_world(PARENT, child(), child("shop", "web"))

    await release_parent(world)
    web = (await version_of(world, "web", FIRST)).tattoo
    shop = (await version_of(world, "shop", FIRST)).tattoo

    names = ("source-image", "source-image-version", "source-publisher", "source-version")
    assert [web[n] for n in names] == ["base", FIRST, "Canonical", SOURCE_VERSION]
    assert [shop[n] for n in names] == ["web", FIRST, "Canonical", SOURCE_VERSION]
    base = (await version_of(world, "base", FIRST)).tattoo
    assert "source-image" not in base
    held = world.gallery.held[(await version_of(world, "shop", FIRST)).resource_id]
    assert held.tags["assay-source-image"] == "web"
    assert held.tags["assay-source-version"] == SOURCE_VERSION


async def test_nothing_is_built_from_a_channel_that_did_not_move() -> None:
    world = new_world(
        replace(
            PARENT,
            channels=(ChannelRule(name="canary"), ChannelRule(name="stable", approval=True)),
        ),
        child(),
        child("early", source=ParentSource(image="base", channel="canary")),
    )

    await release_parent(world)

    assert await builds_of(world, "web") == []
    assert [b.phase for b in await builds_of(world, "early")] == [Phase.RELEASED]


async def test_a_lost_message_is_made_up_for_by_the_timer() -> None:
    world = new_world(PARENT)
    await release_parent(world)
    world.definitions["web"] = child()

    world.send(DetectSource(definition="web"))
    world.send(DetectSource(definition="web"))
    await world.drain()
    seen = await world.records.sources.get("base@stable")

    assert [b.phase for b in await builds_of(world, "web")] == [Phase.RELEASED]
    assert seen is not None
    assert (seen.value.version, seen.value.problem) == (FIRST, "")
    assert [a.name for a in world.outbox.announced if "sources/" in a.subject] == []


async def test_a_parent_without_release_is_said_and_nothing_is_built() -> None:
    world = new_world()

    world.send(DetectSource(definition="web"))
    world.send(RebuildChildren(definition="base"))
    await world.drain()
    seen = await world.records.sources.get("base@stable")

    assert seen is not None
    assert seen.value.problem == "channel stable of base shows no version"
    assert await builds_of(world, "web") == []


async def test_a_message_that_was_overtaken_builds_nothing() -> None:
    world = new_world(PARENT)
    await release_parent(world)
    await release_parent(world, "22.04.202411090")
    world.definitions["web"] = child()

    world.send(StartBuild(definition="web", source_version=FIRST, requested_by="parent-version"))
    await world.drain()

    assert await builds_of(world, "web") == []


async def test_a_person_may_build_from_an_earlier_version_of_the_parent() -> None:
    world = new_world(PARENT)
    await release_parent(world)
    await release_parent(world, "22.04.202411090")
    world.definitions["web"] = child()

    world.send(StartBuild(definition="web", source_version=FIRST, requested_by="http"))
    await world.drain()

    assert [(b.source_version, b.phase) for b in await builds_of(world, "web")] == [
        (FIRST, Phase.RELEASED)
    ]


async def test_after_a_rollback_the_child_is_built_again_once() -> None:
    world = new_world(twice=True)
    await release_parent(world)
    await release_parent(world, "22.04.202411090")
    assert len(await builds_of(world, "web")) == 2

    world.send(
        MoveChannel(
            definition="base",
            channel="stable",
            image_version=FIRST,
            by="someone",
            because="it breaks",
            request="r1",
        )
    )
    await world.drain()
    for _ in range(3):
        world.send(DetectSource(definition="web"))
        await world.drain()
    builds = await builds_of(world, "web")

    assert sorted((b.source_version, b.forced) for b in builds) == [
        (FIRST, False), (FIRST, True), (SECOND, False),
    ]  # fmt: skip
    newest = await version_of(world, "web", "1.20261122.3")
    assert newest.parent is not None
    assert newest.parent.version == FIRST


async def show_parent(world: World, **changes: Any) -> ImageVersion:
    """Put a released parent version into register, gallery and channel."""
    image_id = world.gallery.image_id(PARENT)
    version = ImageVersion(
        definition="base",
        version=FIRST,
        image_id=image_id,
        state=VersionState.RELEASED,
        build_id="b",
        attempt=1,
        source_urn="p:o:s",
        source_version="1.2.3",
        customization_digest="d",
        created_at=world.now,
        tattoo={},
        published_at=world.now,
    )
    version = replace(version, **changes)
    await world.records.image_versions.save(Stored(version))
    channels = ImageChannels(definition="base").moved(
        "stable", FIRST, MoveKind.RELEASED, now=world.now, because="it passed"
    )
    await world.records.channels.save(Stored(channels))
    return version


async def test_a_parent_not_replicated_to_our_region_fails_the_build_in_words() -> None:
    world = new_world()
    parent = await show_parent(world)
    world.gallery.put(parent.image_id, FIRST, regions={"northeurope": 1})

    world.send(RebuildChildren(definition="base"))
    await world.drain()
    (build,) = await builds_of(world, "web")

    assert (build.phase, build.attempts) == (Phase.FAILED, ())
    assert build.history[-1].because == (
        f"version {FIRST} of base is not replicated to westeurope, where images are built; add "
        "that region to its definition"
    )
    assert "BuildFailed" in [a.name for a in world.outbox.announced]


async def test_a_parent_on_its_way_to_our_region_is_waited_for() -> None:
    world = new_world()
    parent = await show_parent(world)
    world.gallery.put(parent.image_id, FIRST, regions={"westeurope": 1}, looks=3)

    world.send(RebuildChildren(definition="base"))
    await world.drain()
    (build,) = await builds_of(world, "web")

    assert build.phase is Phase.RELEASED
    assert world.delivered.count("start_attempt") >= 3


async def test_a_parent_gone_from_the_gallery_fails_the_build() -> None:
    world = new_world()
    await show_parent(world)

    world.send(RebuildChildren(definition="base"))
    await world.drain()
    (build,) = await builds_of(world, "web")

    assert build.history[-1].because == (
        f"version {FIRST} of base is gone from the gallery: somebody deleted it"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": VersionState.REVOKED}, "is revoked"),
        ({"state": VersionState.RETIRED}, "is retired"),
        ({"state": VersionState.CANDIDATE}, "is candidate"),
        ({"withdrawn": "it breaks"}, "was taken back: it breaks"),
    ],
)
async def test_nothing_is_built_from_a_version_that_must_not_be_used(
    changes: dict[str, Any], said: str
) -> None:
    world = new_world()
    await show_parent(world, **changes)

    world.send(RebuildChildren(definition="base"))
    world.send(StartBuild(definition="web", source_version=FIRST, requested_by="http"))
    await world.drain()
    parked = (await world.records.parked.list()).items

    assert await builds_of(world, "web") == []
    assert [p.kind for p in parked] == ["start_build"]
    assert f"version {FIRST} of base {said}" in parked[0].reason


@pytest.mark.parametrize("after", ["start_attempt", "watch_build", "verify_image"])
async def test_a_parent_revoked_meanwhile_ends_the_childs_build(after: str) -> None:
    world = new_world()
    parent = await show_parent(world)
    world.gallery.put(parent.image_id, FIRST, regions={"westeurope": 1})
    world.send(RebuildChildren(definition="base"))
    before = "start_build" if after == "start_attempt" else after
    while before not in world.delivered:
        await world.deliver_next()
    stored = await world.records.image_versions.get("base", FIRST)
    assert stored is not None
    revoked = stored.value.become(VersionState.REVOKED, now=world.now, because="a backdoor")
    await world.records.image_versions.save(replace(stored, value=revoked))

    await world.drain()
    (build,) = await builds_of(world, "web")

    assert build.phase is Phase.FAILED
    assert f"version {FIRST} of base is revoked: a backdoor" in build.history[-1].because
    versions = await world.records.image_versions.list("web")
    assert VersionState.RELEASED not in [v.value.state for v in versions]


async def count_calls() -> int:
    world = new_world()
    parent = await show_parent(world)
    world.gallery.put(parent.image_id, FIRST, regions={"westeurope": 1})
    world.send(RebuildChildren(definition="base"))
    await world.drain()
    return world.crashes.calls


async def test_killed_at_every_call_the_child_is_built_once() -> None:
    calls = await count_calls()
    assert calls > 50

    for at in range(1, calls + 1):
        world = new_world(crashes=Crashes(at=at))
        parent = await show_parent(world)
        world.gallery.put(parent.image_id, FIRST, regions={"westeurope": 1})
        world.send(RebuildChildren(definition="base"))
        await world.drain()
        (build,) = await builds_of(world, "web")

        assert build.phase is Phase.RELEASED, at
        assert world.image_builder.created == [f"{build.id}-a1"], at
        found = await world.records.image_versions.children("base", FIRST, limit=9)
        assert [(v.version, v.state) for v in found] == [(FIRST, VersionState.RELEASED)], at


async def test_the_parents_region_is_read_however_it_is_written() -> None:
    parent = replace(PARENT, regions=(TargetRegion(name="westeurope"),))
    world = new_world(parent, child())
    world.dispatcher.ports["build_region"] = "West Europe"  # type: ignore[index]

    await release_parent(world)

    assert [b.phase for b in await builds_of(world, "web")] == [Phase.RELEASED]


async def test_a_revoked_parent_takes_its_children_along_to_the_last() -> None:
    world = new_world(PARENT, child(), child("shop", "web"), twice=True)
    await release_parent(world)
    await release_parent(world, "22.04.202411090")

    world.send(
        RevokeVersion(
            definition="base",
            image_version=SECOND,
            by="someone",
            because="a backdoor",
            request="r1",
        )
    )
    await world.drain()
    states = {
        name: [str(v.value.state) for v in await world.records.image_versions.list(name)]
        for name in ("base", "web", "shop")
    }

    assert states["base"] == ["revoked", "released"]
    assert states["web"] == ["revoked", "released"]
    assert states["shop"] == ["revoked", "released"]
    below = await descendants("base", SECOND, image_versions=world.records.image_versions)
    assert {(v.definition, v.state) for v in below.versions} == {
        ("web", VersionState.REVOKED),
        ("shop", VersionState.REVOKED),
    }
