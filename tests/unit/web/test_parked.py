"""Looking after the messages no step could do."""

import base64
import json

import pytest

from shared.messages import Envelope, TrackVm, decode, encode, load_json
from shared.web.handler import Handler
from shared.web.parked import (
    discard_parked,
    get_parked,
    list_parked,
    replay_parked,
    text_to_replay,
)
from tests.unit.web.office import Office
from tests.unit.web.samples import BASE, NOON_TEXT, VM_ID, parked, request

TEXT = encode(Envelope(command=TrackVm(resource_id=VM_ID), correlation_id="c-9", tries=60))


async def test_parked_messages_are_listed_oldest_first_page_by_page() -> None:
    office = Office()
    for number in ("m2", "m1", "m3"):
        await office.parked.park(parked(number))
    body = await office.body(list_parked, request("messages/parked", query={"limit": "2"}))
    assert [i["id"] for i in body["items"]] == ["m1", "m2"]
    assert body["next"].startswith(f"{BASE}/messages/parked?limit=2&cursor=")
    assert body["as_of"] == NOON_TEXT


async def test_a_parked_message_is_shown_with_its_text() -> None:
    office = Office()
    await office.parked.park(parked(text=TEXT))
    body = await office.body(get_parked, request("messages/parked/m1", id="m1"))
    assert (body["text"], body["reason"]) == (TEXT, "Azure refuses: no access")


async def test_a_replayed_message_goes_back_to_its_queue_with_its_tries_forgotten() -> None:
    office = Office()
    await office.parked.park(parked(text=TEXT))
    asked = request("messages/parked/m1/replay", method="POST", id="m1")
    body = await office.body(replay_parked, asked, status=202)
    assert body == {"replayed": "m1", "queue": "track-vm", "as_of": NOON_TEXT}
    [(queue, text)] = office.outbox.texts
    assert queue == "track-vm"
    assert decode(load_json(text)) == Envelope(
        command=TrackVm(resource_id=VM_ID), correlation_id="c-9", tries=0
    )
    assert await office.parked.get("m1") is None


async def test_a_message_that_could_not_be_put_back_stays_parked() -> None:
    office = Office()
    office.outbox.fail_next("put", RuntimeError("no queue"))
    await office.parked.park(parked(text=TEXT))
    asked = request("messages/parked/m1/replay", method="POST", id="m1")
    assert (await office.ask(replay_parked, asked)).status == 500
    assert await office.parked.get("m1") == parked(text=TEXT)


async def test_an_event_that_was_in_no_queue_is_replayed_through_one_that_takes_events() -> None:
    office = Office()
    event = '{"eventType":"Microsoft.Resources.ResourceWriteSuccess"}'
    await office.parked.park(parked(queue="receive_resource_event", text=event))
    asked = request("messages/parked/m1/replay", method="POST", id="m1")
    body = await office.body(replay_parked, asked, status=202)
    assert body["queue"] == "track-vm"
    [(queue, text)] = office.outbox.texts
    assert (queue, json.loads(text)) == ("track-vm", json.loads(event))


@pytest.mark.parametrize(
    "text", [TEXT, '{"eventType":"x"}', "[]", "not json", base64.b64encode(b'{"a":1}').decode()]
)
def test_a_replayed_text_is_never_the_same_so_it_is_parked_under_another_id(text: str) -> None:
    once = text_to_replay(parked("m1", text=text))
    twice = text_to_replay(parked("m2", text=once))
    assert len({text, once, twice}) == 3


@pytest.mark.parametrize(
    "text", ['{"eventType":"x"}', "[1]", base64.b64encode(b'{"eventType":"x"}').decode()]
)
def test_a_replayed_event_still_reads_the_same(text: str) -> None:
    assert load_json(text_to_replay(parked(text=text))) == load_json(text)


async def test_a_discarded_message_is_gone() -> None:
    office = Office()
    await office.parked.park(parked())
    asked = request("messages/parked/m1", method="DELETE", id="m1")
    response = await office.ask(discard_parked, asked)
    assert (response.status, response.body) == (204, None)
    assert await office.parked.get("m1") is None
    assert office.outbox.texts == []


@pytest.mark.parametrize("handler", [get_parked, replay_parked, discard_parked])
async def test_a_message_that_is_not_parked_is_unknown(handler: Handler) -> None:
    body = await Office().body(handler, request("messages/parked/x", id="x"), status=404)
    assert body["type"] == "urn:assay:problem:unknown-message"
    assert body["parked_url"] == f"{BASE}/messages/parked"
