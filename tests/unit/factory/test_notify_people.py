"""People are told once of what concerns them, and nothing waits for their channel."""

from datetime import timedelta

from shared.errors import RefusedError, UnavailableError
from shared.events import route
from shared.factory.notes import note_of
from shared.messages import NotifyPeople
from shared.ports import Note
from tests.fakes.world import NOON, World

DATA = {
    "build": "ubuntu-1", "definition": "ubuntu", "version": "1.20261122.1",
    "source": "canonical:jammy:lts", "sourceVersion": "22.04.1", "attempts": 2,
    "repairs": ["reset-sshd"], "failedChecks": [], "reason": "every check passed",
    "at": "2026-11-22T12:00:00+00:00",
}  # fmt: skip
TOLD = NotifyPeople(event_id="e-1", event="ImagePublished", subject="images/ubuntu", data=DATA)
EVENT = {
    "specversion": "1.0", "type": "Assay.ImagePublished", "source": "/assay/s/rg", "id": "e-1",
    "subject": "images/ubuntu", "time": "2026-11-22T12:00:00Z", "data": DATA,
}  # fmt: skip


def test_a_note_says_what_happened_and_where_to_read_on() -> None:
    assert note_of("ImagePublished", "images/ubuntu", DATA) == Note(
        title="ubuntu 1.20261122.1 is published",
        text="every check passed",
        facts=(
            ("Built from", "canonical:jammy:lts"),
            ("Source version", "22.04.1"),
            ("Attempts", "2"),
            ("Repairs", "reset-sshd"),
            ("Build", "ubuntu-1"),
            ("Version", "1.20261122.1"),
            ("When", "2026-11-22T12:00:00+00:00"),
        ),
        path="images/ubuntu/versions/1.20261122.1",
    )


def test_a_note_of_an_event_from_another_release_says_what_it_can() -> None:
    note = note_of("SomethingNew", "images/ubuntu", {"strange": {}})
    assert (note.title, note.facts, note.path) == (
        "SomethingNew: images/ubuntu",
        (),
        "images/ubuntu",
    )
    assert note_of("BuildFailed", "images/ubuntu", {}).title == "The build of ? failed"


def test_our_own_event_for_people_becomes_a_note_and_others_do_not() -> None:
    assert route(EVENT, {}) == [TOLD]
    assert route({**EVENT, "type": "Assay.VmVerdictChanged"}, {}) == []
    assert route({**EVENT, "type": "Assay.NeverHeardOf"}, {}) == []
    assert route({**EVENT, "data": None}, {}) == []


async def test_an_event_that_comes_often_is_told_once() -> None:
    world = World(twice=True)
    for _ in range(3):
        world.send(TOLD)
    await world.drain()
    assert [n.title for n in world.notifier.told] == ["ubuntu 1.20261122.1 is published"]


async def test_a_channel_that_does_not_answer_is_tried_again() -> None:
    world = World()
    world.notifier.fail_next("tell", UnavailableError("no answer"), times=4)
    world.send(TOLD)
    await world.drain()
    assert len(world.notifier.told) == 1
    assert world.now > NOON + timedelta(seconds=30)


async def test_a_channel_that_refuses_is_parked_and_holds_up_nobody() -> None:
    world = World()
    world.notifier.fail_next("tell", RefusedError("the teams webhook said 404 ()"))
    world.send(TOLD)
    build = await world.build()
    [parked] = (await world.records.parked.list()).items
    assert (parked.queue, parked.kind) == ("notify-people", "notify_people")
    stored = await world.records.builds.get(build)
    assert stored is not None
    assert stored.value.finished
