"""Taking messages and events in: what is read, passed on and parked."""

import base64
import json
from typing import Any

import pytest

from shared.errors import NotReadyError, RefusedError
from shared.intake import without_personal_data
from shared.messages import DetectSource, Envelope, TrackVm, decode, encode
from tests.fakes.fleet import vm_facts
from tests.fakes.world import NOON, World
from tests.unit.factory.conftest import new_world

VM = vm_facts().resource_id
EVENT: dict[str, Any] = {
    "topic": "/subscriptions/0", "subject": VM, "id": "1", "dataVersion": "2",
    "eventType": "Microsoft.Resources.ResourceWriteSuccess", "eventTime": "2026-11-22T12:00:00Z",
    "data": {
        "operationName": "Microsoft.Compute/virtualMachines/write", "resourceUri": VM,
        "claims": {"name": "Ann Example"}, "authorization": {"scope": VM},
        "httpRequest": {"clientIpAddress": "192.0.2.1"},
    },
}  # fmt: skip


def malformed() -> dict[str, Any]:
    return {**EVENT, "subject": "x", "data": {**EVENT["data"], "resourceUri": "x"}}


async def test_a_message_in_the_wrong_queue_is_passed_on_to_its_own() -> None:
    world = World()
    text = encode(Envelope(command=DetectSource(definition="d"), correlation_id="c"))

    await world.intake.receive_text("track_vm", text, deliveries=1)

    (sent,) = world.outbox.sent
    assert (sent.command, sent.correlation_id) == (DetectSource(definition="d"), "c")


@pytest.mark.parametrize("wrap", [lambda e: e, lambda e: [e]])
async def test_a_raw_event_in_a_queue_means_what_it_means_to_the_trigger(wrap: Any) -> None:
    world = World()
    text = base64.b64encode(json.dumps(wrap(EVENT)).encode()).decode()

    await world.intake.receive_text("watch_build", text, deliveries=1)

    assert world.outbox.commands == [TrackVm(resource_id=VM)]


async def test_a_parked_event_names_no_person() -> None:
    world = World()

    await world.intake.receive_event("receive_resource_event", malformed())
    await world.intake.receive_text("track_vm", json.dumps(malformed()), deliveries=1)

    parked = (await world.records.parked.list()).items
    assert {p.queue for p in parked} == {"receive_resource_event", "track-vm"}
    for message in parked:
        assert "Ann Example" not in message.text
        assert "192.0.2.1" not in message.text
        assert "virtualMachines/write" in message.text


def test_only_fields_that_name_people_are_left_out() -> None:
    stripped = json.loads(without_personal_data(json.dumps([EVENT])))

    assert stripped[0]["data"] == {
        "operationName": "Microsoft.Compute/virtualMachines/write", "resourceUri": VM,
    }  # fmt: skip
    assert without_personal_data("no json") == "no json"


@pytest.mark.parametrize("text", ['"a text"', "12", "null"])
async def test_json_that_is_neither_message_nor_event_is_parked(text: str) -> None:
    world = World()

    await world.intake.receive_text("track_vm", text, deliveries=1)

    (parked,) = (await world.records.parked.list()).items
    assert "neither one of our messages nor an event" in parked.reason
    assert parked.text == text


async def test_one_bad_event_of_an_array_does_not_take_the_good_ones_along() -> None:
    world = World()
    text = json.dumps([EVENT, 1, malformed()])

    await world.intake.receive_text("track_vm", text, deliveries=1)

    assert {p.text[:4] for p in (await world.records.parked.list()).items} == {"1", '{"to'}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(malformed())[:-1],
        json.dumps({**malformed(), "data": json.dumps(EVENT["data"])}),
        json.dumps({**malformed(), "data_base64": base64.b64encode(b"Ann Example").decode()}),
    ],
)
async def test_no_form_of_an_event_brings_a_name_into_the_register(text: str) -> None:
    world = World()

    await world.intake.receive_text("track_vm", text, deliveries=1)

    (parked,) = (await world.records.parked.list()).items
    assert "Ann Example" not in parked.text
    assert base64.b64encode(b"Ann Example").decode() not in parked.text


async def test_a_correlation_id_cannot_write_lines_into_the_log() -> None:
    payload = json.loads(encode(Envelope(command=DetectSource(definition="d"), correlation_id="c")))
    payload["correlation_id"] = "c\nstep=forged"

    assert decode(payload).correlation_id == ""


async def test_work_goes_on_though_the_topic_cannot_be_reached() -> None:
    world = new_world()
    world.outbox.fail_next("announce", RefusedError("no role on the topic"), times=1000)

    await world.build()

    assert "clean_up_build" in world.delivered
    assert "judge_image_users" in world.delivered


async def test_a_missing_right_is_waited_for_before_the_build_is_given_up() -> None:
    world = World()
    world.gallery.fail_next("ensure_image", NotReadyError("403"), times=3)

    await world.build()
    started = (await world.records.builds.list()).items[0].attempts[0].started_at

    assert (started - NOON).total_seconds() == 900


async def test_a_right_that_never_comes_parks_the_message_and_ends_the_build() -> None:
    world = World()
    world.gallery.fail_next("ensure_image", NotReadyError("403: no right"), times=1000)

    await world.build()

    (parked,) = (await world.records.parked.list()).items
    assert parked.reason == "given up after 6 tries: 403: no right"
    assert (await world.records.builds.list()).items[0].phase == "failed"
