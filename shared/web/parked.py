"""Messages that no step could do: list, look at, replay, discard."""

import json
from typing import Any

from shared.errors import BadMessageError
from shared.messages import TrackVm, is_envelope, load_json
from shared.ports import ParkedMessage
from shared.web.api import links
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.moves import MESSAGES, Act, Move, carry_out
from shared.web.pages import fetch, page_answer
from shared.web.problems import unknown
from shared.web.schema import MayReasonBody, NoQuery, PageQuery, read_body, read_query
from shared.web.views.messages import parked_view
from shared.web.views.values import instant
from shared.workflow import STEP_BY_NAME, STEPS

_QUEUES = frozenset(step.queue for step in STEPS)
_FOR_EVENTS = STEP_BY_NAME[TrackVm.kind].queue


async def list_parked(request: ApiRequest, app: App) -> ApiResponse:
    """GET messages/parked: a page of them."""
    asked = read_query(request, PageQuery)
    page = await fetch(app.parked.list(limit=asked.limit, cursor=asked.cursor))
    items = [parked_view(m, links(request, app)) for m in page.items]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())


async def get_parked(request: ApiRequest, app: App) -> ApiResponse:
    """GET messages/parked/{id}: one parked message."""
    message = await _message_asked(request, app)
    body = {**parked_view(message, links(request, app)), "as_of": instant(app.now())}
    return ApiResponse(status=200, body=body)


async def replay_parked(request: ApiRequest, app: App) -> ApiResponse:
    """POST messages/parked/{id}/replay: put it back into its queue, its tries counted anew.

    It is forgotten after it was put back: a crash between the two leaves it in both places, and a
    step that gets a message twice ends in the same state.
    """
    message = await _message_asked(request, app)

    async def act() -> ApiResponse:
        queue = queue_to_replay(message.queue)
        await app.outbox.put(queue, text_to_replay(message))
        await app.parked.remove(message.id)
        return ApiResponse(
            status=202,
            body={"replayed": message.id, "queue": queue, "as_of": instant(app.now())},
        )

    return await carry_out(_move("replay", message, act, request, app), request, app)


async def discard_parked(request: ApiRequest, app: App) -> ApiResponse:
    """DELETE messages/parked/{id}: forget it; what it asked for will not be done."""
    message = await _message_asked(request, app)

    async def act() -> ApiResponse:
        await app.parked.remove(message.id)
        return ApiResponse(status=204)

    return await carry_out(_move("discard", message, act, request, app), request, app)


def _move(what: str, message: ParkedMessage, act: Act, request: ApiRequest, app: App) -> Move:
    body = read_body(request, MayReasonBody)

    async def look() -> Json:
        return {"parked": await app.parked.get(message.id) is not None, "kind": message.kind}

    return Move(
        what=what,
        scope=MESSAGES,
        subject=f"messages/parked/{message.id}",
        why=body.reason or "",
        look=look,
        act=act,
    )


def queue_to_replay(queue: str) -> str:
    """Return the queue a message that was parked under *queue* goes back to.

    An event that Event Grid brought was in no queue; every queue takes events and hands on what
    they mean, so it goes into the one that most events are for.
    """
    return queue if queue in _QUEUES else _FOR_EVENTS


def text_to_replay(message: ParkedMessage) -> str:
    """Return the text *message* is queued again with: our own with no tries behind it.

    The same text would be parked under the same id, which a quick step may do before this replay
    has forgotten the old one. So the text is never the same: our own says what it is a replay of,
    which its reader ignores, and an event or what no one can read gets one more line end.
    """
    bare = message.text.rstrip("\n")
    line_ends = "\n" * (len(message.text) - len(bare) + 1)
    try:
        payload = load_json(bare)
    except BadMessageError:
        return bare + line_ends
    if is_envelope(payload):
        return _compact({**payload, "tries": 0, "replay_of": message.id})
    return _compact(payload) + line_ends


def _compact(payload: Any) -> str:
    return json.dumps(payload, separators=(",", ":"))


async def _message_asked(request: ApiRequest, app: App) -> ParkedMessage:
    read_query(request, NoQuery)
    message = await app.parked.get(request.route["id"])
    if message is None:
        parked_url = links(request, app).to("messages", "parked")
        raise unknown(
            "message",
            f"No message {request.route['id']!r} is parked; it may have been replayed or "
            "discarded.",
            parked_url=parked_url,
        )
    return message
