"""The Event Grid webhook of the host: handshakes and deliveries.

Protocol: "Webhook event delivery" and "CloudEvents v1.0 schema", Azure Event Grid documentation;
status codes as the Event Grid extension of the real host gives them.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from localcloud.host.bindings import Function
from localcloud.host.invoker import Invoker
from localcloud.host.protos import TypedData

PATH = "/runtime/webhooks/eventgrid"


async def serve(
    request: web.Request, functions: Mapping[str, Function], invoker: Invoker
) -> web.Response:
    """Answer one request. `functions` are those with an Event Grid trigger, by lower-case name."""
    query = {name.lower(): value for name, value in request.query.items()}
    name = query.get("functionname", "")
    function = functions.get(name.lower())
    if function is None:
        return web.Response(status=404, text=f"cannot find function: '{name}'")
    if request.method == "OPTIONS":
        return _allow(request)
    if request.method != "POST":
        return web.Response(status=405)
    try:
        return await _post(request, function, invoker)
    except ValueError as error:
        return web.Response(status=400, text=str(error))


async def _post(request: web.Request, function: Function, invoker: Invoker) -> web.Response:
    match request.headers.get("aeg-event-type", "").lower():
        case "notification":
            return await _deliver(function, _events(await request.read()), invoker)
        case "subscriptionvalidation":
            code = _validation_code(_events(await request.read()))
            return web.json_response({"validationResponse": code})
        case "unsubscribe":
            return web.Response(status=202)
        case other:
            raise ValueError(f"aeg-event-type is missing or unknown: {other!r}")


def _allow(request: web.Request) -> web.Response:
    origin = request.headers.get("WebHook-Request-Origin")
    if not origin:
        return web.Response(status=400, text="WebHook-Request-Origin is missing")
    return web.Response(
        headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"},
    )


def _events(body: bytes) -> list[dict[str, Any]]:
    content = json.loads(body)
    events = content if isinstance(content, list) else [content]
    if not events or not all(isinstance(event, dict) for event in events):
        raise ValueError("the body is neither an event nor an array of events")
    return events


def _validation_code(events: list[dict[str, Any]]) -> str:
    data = events[0].get("data")
    code = data.get("validationCode") if isinstance(data, dict) else None
    if not isinstance(code, str):
        raise ValueError("the validation event has no data.validationCode")  # noqa: TRY004
    return code


async def _deliver(
    function: Function, events: list[dict[str, Any]], invoker: Invoker
) -> web.Response:
    """Invoke once per event, in parallel; one failure makes the whole delivery fail."""
    outcomes = await asyncio.gather(
        *(invoker.invoke(function, TypedData(json=json.dumps(event))) for event in events)
    )
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    return web.Response(status=500, text=errors[0]) if errors else web.Response(status=202)
