"""A revocation reaches the versions built from the revoked one, and its undoing does too."""

from dataclasses import replace

import pytest

from shared.domain.image_definition import ParentSource
from shared.domain.image_version import VersionState
from shared.messages import RestoreVersion, RevokeVersion
from tests.fakes.definitions import ubuntu
from tests.fakes.world import World
from tests.unit.factory.test_channels_flow import NAME, SOURCES, V1, V2, revoke
from tests.unit.factory.test_publish_flow import new_world

CHILD = "web-ubuntu"


async def chain(**changes: object) -> World:
    """Return a world where two versions of a parent were each built into a child."""
    child = ubuntu(name=CHILD, source=ParentSource(image=NAME, channel="stable"), sku="web")
    world = new_world(definitions={NAME: ubuntu(), CHILD: child}, **changes)
    for source in SOURCES[:2]:
        await world.build(source)
    return world


async def children(world: World) -> dict[str, VersionState]:
    """Return the child's states by the parent version each was built from."""
    rows = await world.records.image_versions.list(CHILD)
    return {r.value.parent.version: r.value.state for r in rows if r.value.parent}


@pytest.mark.parametrize("twice", [False, True])
async def test_what_was_built_from_a_revoked_version_is_revoked(twice: bool) -> None:
    world = await chain(twice=twice)
    assert await children(world) == {V1: VersionState.AGED, V2: VersionState.RELEASED}

    world.send(revoke(V2))
    await world.drain()

    states = await children(world)
    assert states[V2] is VersionState.REVOKED
    assert states[V1] is VersionState.RELEASED
    rows = await world.records.image_versions.list(CHILD)
    revoked = next(r.value for r in rows if r.value.state is VersionState.REVOKED)
    assert revoked.history[-1].because == f"built from {NAME} {V2}: CVE"
    assert (await world.records.parked.list()).items == ()


async def test_it_is_not_inherited_when_the_person_says_so() -> None:
    world = await chain()

    world.send(replace(revoke(V2), inherit=False))
    await world.drain()

    assert (await children(world))[V2] is not VersionState.REVOKED


async def test_restoring_the_parent_restores_what_was_only_inherited() -> None:
    world = await chain()
    rows = await world.records.image_versions.list(CHILD)
    old = next(r.value for r in rows if r.value.parent and r.value.parent.version == V1)
    own = RevokeVersion(
        definition=CHILD, image_version=old.version, by="a", because="its own fault", request="x"
    )
    world.send(own)
    world.send(revoke(V1, "r0", force=True))
    world.send(revoke(V2, "r1", force=True))
    await world.drain()
    assert set((await children(world)).values()) == {VersionState.REVOKED}

    for version, request in ((V1, "r2"), (V2, "r3")):
        world.send(
            RestoreVersion(
                definition=NAME, image_version=version, by="a", because="fixed", request=request
            )
        )
    await world.drain()

    states = await children(world)
    assert states[V1] is VersionState.REVOKED
    assert states[V2] is VersionState.RELEASED
