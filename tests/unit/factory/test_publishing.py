"""From a verified candidate to a release, and what can stop it."""

from dataclasses import replace

import pytest

from shared.domain.build import Phase
from shared.domain.image_version import VersionState
from shared.ports import GalleryVersion
from tests.fakes.world import World
from tests.unit.factory.conftest import build_of, expected_id, new_world, version_of


def while_publishing(world: World, **changes: object) -> None:
    """Let the gallery show *changes* of the version once its build is publishing."""
    original = world.gallery.version

    async def version(image_id: str, number: str) -> GalleryVersion | None:
        seen = await original(image_id, number)
        publishing = (await build_of(world, expected_id(world))).phase is Phase.PUBLISHING
        if not publishing or seen is None:
            return seen
        return replace(seen, **changes) if changes else None  # type: ignore[arg-type]

    world.gallery.version = version  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "version 1.20261122.1 is gone from the gallery: somebody deleted it"),
        ({"provisioning_state": "Failed"}, "Azure failed to update version 1.20261122.1"),
        (
            {"failed_regions": frozenset({"northeurope"})},
            "replication of version 1.20261122.1 failed in northeurope",
        ),
        (
            {"provisioning_state": "Updating"},
            "was not replicated everywhere in 12:00:00",
        ),
    ],
)
async def test_a_version_that_cannot_be_released_fails_the_build(
    changes: dict[str, object], said: str
) -> None:
    world = new_world()
    while_publishing(world, **changes)

    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert said in build.history[-1].because
    assert [a.name for a in world.outbox.announced] == ["BuildFailed"]
    assert all(excluded for _, excluded in world.gallery.published)
    assert (await version_of(world, "1.20261122.1")).state is VersionState.REJECTED


async def test_the_regions_somebody_changed_are_put_right_before_the_release() -> None:
    world = new_world()
    original = world.gallery.version
    changed = False

    async def version(image_id: str, number: str) -> GalleryVersion | None:
        nonlocal changed
        phase = (await build_of(world, expected_id(world))).phase
        if phase is Phase.PUBLISHING and not changed:
            changed = True
            world.gallery.held[f"{image_id}/versions/{number}"].regions = {"westeurope": 1}
        return await original(image_id, number)

    world.gallery.version = version  # type: ignore[method-assign,assignment]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert world.gallery.published == [("1.20261122.1", True), ("1.20261122.1", False)]
    held = world.gallery.held[f"{build.image_id}/versions/1.20261122.1"]
    assert held.regions == {"westeurope": 2, "northeurope": 1}


async def test_an_aged_version_that_is_gone_from_the_gallery_is_aged_in_the_register() -> None:
    world = new_world()
    await world.build("22.04.202409120")
    first = await version_of(world, "1.20261122.1")
    world.gallery.remove(first.image_id, first.version)

    await world.build("22.04.202411080")

    assert (await version_of(world, "1.20261122.1")).state is VersionState.AGED
