"""Limits of the gallery are said before they bite."""

import pytest

from shared.factory.watch_gallery import MAX_VERSIONS
from shared.messages import WatchGallery
from tests.fakes.world import World


@pytest.mark.parametrize(("held", "told"), [(7999, 0), (8000, 1)])
async def test_four_fifths_of_a_limit_are_announced(held: int, told: int) -> None:
    world = World()
    image_id = world.gallery.image_id(next(iter(world.definitions.values())))
    for number in range(held):
        world.gallery.put(image_id, f"1.1.{number}")

    world.send(WatchGallery())
    world.send(WatchGallery())
    await world.drain()

    ids = {a.event_id: a for a in world.outbox.announced if a.name == "GalleryNearLimit"}
    assert len(ids) == told
    for announcement in ids.values():
        assert announcement.data["count"] == held
        assert announcement.data["limit"] == MAX_VERSIONS
