"""Which version a channel shows, for Bicep, Terraform and pipelines."""

from dataclasses import replace

from shared.domain.channel import ImageChannels, MoveKind
from shared.ports import Stored
from shared.web.channels import get_channel, list_channels
from shared.web.exchange import ApiRequest
from tests.unit.web.office import Office
from tests.unit.web.samples import BASE, IMAGE_ID, NOON, NOON_TEXT, request, version

NUMBER = "1.20261122.1"
ID = f"{IMAGE_ID}/versions/{NUMBER}"


async def _office() -> Office:
    office = Office()
    await office.hold_version(version(NUMBER))
    await _move(office, NUMBER)
    return office


async def _move(office: Office, number: str) -> None:
    stored = await office.channels.get("ubuntu")
    known = stored or Stored(ImageChannels(definition="ubuntu"))
    moved = known.value.moved(
        "stable", number, MoveKind.PROMOTED, now=NOON, because="it soaked", by="assay"
    )
    await office.channels.save(replace(known, value=moved))


def _ask(channel: str = "stable", **headers: str) -> ApiRequest:
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    return request(
        f"images/ubuntu/channels/{channel}", headers=given, name="ubuntu", channel=channel
    )


async def test_a_channel_answers_the_id_of_the_version_it_shows() -> None:
    body = await (await _office()).body(get_channel, _ask())
    assert body == {
        "image": "ubuntu",
        "channel": "stable",
        "version": NUMBER,
        "id": ID,
        "state": "released",
        "source_version": "22.04.202611200",
        "regions": ["westeurope"],
        "since": NOON_TEXT,
        "waiting": None,
        "needs_approval": False,
        "url": f"{BASE}/images/ubuntu/channels/stable",
        "version_url": f"{BASE}/images/ubuntu/versions/{NUMBER}",
        "history": [
            {
                "kind": "promoted", "from": None, "to": NUMBER, "at": NOON_TEXT, "by": "assay",
                "because": "it soaked",
            }
        ],
        "as_of": NOON_TEXT,
    }  # fmt: skip


async def test_a_caller_that_knows_the_answer_is_told_so_and_no_more() -> None:
    office = await _office()
    first = await office.ask(get_channel, _ask())
    tag = first.headers["ETag"]
    same = await office.ask(get_channel, _ask(if_none_match=f'"other", {tag}'))
    assert (same.status, same.body, same.headers["ETag"]) == (304, None, tag)
    assert first.headers["Cache-Control"] == same.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["Last-Modified"] == "Sun, 22 Nov 2026 12:00:00 GMT"


async def test_the_tag_changes_when_the_channel_moves() -> None:
    office = await _office()
    tag = (await office.ask(get_channel, _ask())).headers["ETag"]
    await office.hold_version(version("1.20261122.2"))
    await _move(office, "1.20261122.2")
    moved = await office.ask(get_channel, _ask(if_none_match=tag))
    assert moved.status == 200
    assert moved.headers["ETag"] != tag


async def test_plain_text_is_the_id_alone_under_a_tag_of_its_own() -> None:
    office = await _office()
    json = await office.ask(get_channel, _ask())
    text = await office.ask(get_channel, _ask(accept="text/plain"))
    assert (text.status, text.text, text.media_type) == (200, ID, "text/plain")
    assert text.headers["ETag"] != json.headers["ETag"]
    assert text.headers["Vary"] == json.headers["Vary"] == "Accept"
    assert await office.ask(get_channel, replace(_ask(), query={"format": "text"})) == text


async def test_a_client_that_likes_json_as_well_gets_json() -> None:
    asked = _ask(accept="application/json, text/plain, */*")
    assert (await (await _office()).ask(get_channel, asked)).media_type == "application/json"


async def test_a_channel_that_shows_nothing_is_not_found_rather_than_empty() -> None:
    office = await _office()
    body = await office.body(get_channel, _ask("canary"), status=404)
    assert body["type"] == "urn:assay:problem:unknown-channel-version"
    assert body["detail"] == (
        "Channel 'canary' of image 'ubuntu' shows no version yet: none was released into it, or "
        "no good one is left."
    )


async def test_an_unknown_channel_is_answered_with_those_there_are() -> None:
    body = await (await _office()).body(get_channel, _ask("beta"), status=404)
    assert (body["type"], body["known"]) == (
        "urn:assay:problem:unknown-channel", ["canary", "stable"],
    )  # fmt: skip


async def test_the_channels_are_listed_in_the_order_of_a_release() -> None:
    office = await _office()
    body = await office.body(list_channels, request("images/ubuntu/channels", name="ubuntu"))
    assert [(i["channel"], i["version"]) for i in body["items"]] == [
        ("canary", None), ("stable", NUMBER),
    ]  # fmt: skip
