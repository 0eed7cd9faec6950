"""The publishing endpoint of an Event Grid custom topic that takes CloudEvents 1.0."""

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.events import Event
from localcloud.arm.store import Json

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_VERSION = "2018-01-01"
_CREDENTIALS = ("aeg-sas-key", "aeg-sas-token", "Authorization")
_NEEDED = ("id", "source", "type", "specversion")
_BATCH = "application/cloudevents-batch+json"
_SINGLE = "application/cloudevents+json"


def _events(request: web.Request, text: str) -> list[Json]:
    if request.query.get("api-version") != _VERSION:
        raise bad_request(
            "InvalidApiVersionParameter",
            f"The api-version '{request.query.get('api-version')}' is invalid. "
            f"The supported versions are '{_VERSION}'.",
        )
    if not any(request.headers.get(name) for name in _CREDENTIALS):
        raise ArmError(
            HTTPStatus.UNAUTHORIZED,
            "Unauthorized",
            f"Request must contain one of the following authorization signature: "
            f"{', '.join(_CREDENTIALS)}.",
        )
    try:
        parsed: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise bad_request("BadRequest", f"The body is not JSON: {error}.") from error
    events = [parsed] if request.content_type == _SINGLE else parsed
    if request.content_type not in {_SINGLE, _BATCH} or not isinstance(events, list):
        raise bad_request(
            "BadRequest",
            f"This topic takes CloudEvents 1.0 ('{_BATCH}'), not '{request.content_type}'.",
        )
    for event in events:
        missing = [name for name in _NEEDED if not event.get(name)]
        if missing:
            raise bad_request("BadRequest", f"A CloudEvent lacks {', '.join(missing)}.")
    return events


def _as_event(topic: str, document: Json) -> Event:
    data = document.get("data")
    return Event(
        stream="topic",
        source=topic,
        subject=str(document.get("subject") or ""),
        type=str(document["type"]),
        id=str(document["id"]),
        time=str(document.get("time") or ""),
        data=data if isinstance(data, dict) else {},
        data_version="",
        original=document,
    )


def add_routes(app: web.Application, cloud: "Cloud") -> None:
    """Serve `POST /topics/{topic}/api/events`."""

    async def publish(request: web.Request) -> web.Response:
        try:
            events = _events(request, await request.text())
        except ArmError as refusal:
            return web.json_response(refusal.body(), status=refusal.status)
        for document in events:
            cloud.events.publish(_as_event(request.match_info["topic"], document))
        return web.Response()

    app.router.add_post("/topics/{topic}/api/events", publish)
