"""What notify_people may rely on: the fake channel, and the real webhook against a local server."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from shared.errors import AssayError, RefusedError, ThrottledError, UnavailableError
from shared.gateways.cards import slack_message, teams_message
from shared.gateways.notifier import WebhookNotifier
from shared.ports import Note, Notifier
from shared.settings import Notify
from tests.contract.gateways import things
from tests.fakes.notifier import FakeNotifier

SECRET = "sig-of-the-webhook"
NOTE = Note(
    title="ubuntu 1.20261122.1 is published",
    text="every check passed",
    facts=(("Attempts", "2"), ("Repairs", "reset-sshd")),
    path="images/ubuntu/versions/1.20261122.1",
)
EVIL = "<!channel> *bold* [click](https://evil.example) & </at>"


@dataclass
class Channel:
    """A chat channel behind a webhook on this machine."""

    url: str = ""
    bodies: list[Any] = field(default_factory=list)
    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(json.loads(await request.text()))
        return web.Response(status=self.status, headers=self.headers, text="no <such> hook")


@pytest_asyncio.fixture
async def channel() -> AsyncIterator[Channel]:
    channel = Channel()
    app = web.Application()
    app.router.add_post("/hook", channel.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    channel.url = f"http://127.0.0.1:{port}/hook?sig={SECRET}"
    yield channel
    await runner.cleanup()


def _notifier(webhook: str, form: str = "teams", public_url: str = "") -> WebhookNotifier:
    settings = things.settings(
        arm="http://127.0.0.1:1", subscription="00000000-0000-4000-8000-000000000001",
        topic="http://127.0.0.1:1/api/events",
    )  # fmt: skip
    notify = Notify(webhook=webhook, form=form)
    return WebhookNotifier(replace(settings, notify=notify, public_url=public_url))


@pytest_asyncio.fixture(params=["fake", "webhook"])
async def notifier(request: pytest.FixtureRequest, channel: Channel) -> AsyncIterator[Notifier]:
    notifier = FakeNotifier() if request.param == "fake" else _notifier(channel.url)
    yield notifier
    await notifier.close()


async def test_a_note_is_taken_and_may_be_told_again(notifier: Notifier, channel: Channel) -> None:
    await notifier.tell(NOTE)
    await notifier.tell(NOTE)

    told = notifier.told if isinstance(notifier, FakeNotifier) else channel.bodies
    assert len(told) == 2
    assert told[0] == told[1]


async def test_no_webhook_tells_nobody(channel: Channel) -> None:
    await _notifier("").tell(NOTE)

    assert channel.bodies == []


@pytest.mark.parametrize("form", ["teams", "slack"])
async def test_the_channel_gets_the_form_it_reads(channel: Channel, form: str) -> None:
    notifier = _notifier(channel.url, form, "https://assay.example")
    await notifier.tell(NOTE)
    await notifier.close()

    url = "https://assay.example/api/v1/images/ubuntu/versions/1.20261122.1"
    shape = {"teams": teams_message, "slack": slack_message}[form]
    assert channel.bodies == [shape(NOTE, url)]
    assert url in json.dumps(channel.bodies)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, ThrottledError), (500, UnavailableError), (502, UnavailableError),
        (408, UnavailableError), (400, RefusedError), (404, RefusedError), (302, RefusedError),
    ],
)  # fmt: skip
async def test_an_answer_that_is_no_success_is_an_error_without_the_address(
    channel: Channel, status: int, error: type[AssayError]
) -> None:
    channel.status, channel.headers = status, {"Retry-After": "7", "Location": channel.url}
    notifier = _notifier(channel.url)

    with pytest.raises(error) as caught:
        await notifier.tell(NOTE)
    await notifier.close()

    assert SECRET not in str(caught.value)
    assert "no <such> hook" in str(caught.value)
    if isinstance(caught.value, ThrottledError):
        assert caught.value.after == timedelta(seconds=7)


async def test_a_channel_out_of_reach_is_an_error_without_the_address() -> None:
    notifier = _notifier(f"http://127.0.0.1:1/hook?sig={SECRET}")

    with pytest.raises(UnavailableError) as caught:
        await notifier.tell(NOTE)
    await notifier.close()

    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert SECRET not in repr(notifier._settings)


def test_a_teams_card_shows_text_as_it_is() -> None:
    note = Note(title=EVIL, text=EVIL, facts=((EVIL, EVIL),))
    [attachment] = teams_message(note, "")["attachments"]

    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert {b["type"] for b in card["body"]} == {"RichTextBlock"}  # no Markdown in these
    assert "actions" not in card
    runs = [run["text"] for block in card["body"] for run in block["inlines"]]
    assert runs == [EVIL, EVIL, f"{EVIL}: ", EVIL]


def test_slack_blocks_show_text_as_it_is() -> None:
    message = slack_message(Note(title=EVIL, text=EVIL, facts=((EVIL, EVIL),)), "")
    safe = "&lt;!channel&gt; *bold* [click](https://evil.example) &amp; &lt;/at&gt;"

    assert message["text"] == safe
    assert "mrkdwn" not in json.dumps(message)
    assert message["blocks"][1] == {
        "type": "section", "text": {"type": "plain_text", "text": safe, "emoji": False},
    }  # fmt: skip


def test_a_long_text_is_cut_to_what_a_channel_takes() -> None:
    note = Note(
        title="t" * 500, text="x" * 50_000, facts=tuple(("f", "y" * 9000) for _ in range(30))
    )

    assert len(json.dumps(teams_message(note, ""))) < 28 * 1024
    blocks = slack_message(note, "")["blocks"]
    assert len(blocks[0]["text"]["text"]) == 150
    assert len(blocks[1]["text"]["text"]) == 2000
    assert [len(f["text"]) for f in blocks[2]["fields"]] == [2000] * 10
