"""The part of the host's admin interface that people and tools use: status, list, run by hand."""

import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from localcloud.host.bindings import Function

VERSION = "4.0.0-local"


def status(functions: Iterable[Function]) -> web.Response:
    """`GET /admin/host/status`: a host that answers is running."""
    names = [function.name for function in functions]
    return web.json_response(
        {"id": "localcloud", "state": "Running", "version": VERSION, "functions": names}
    )


def list_functions(functions: Iterable[Function], base_url: str, prefix: str) -> web.Response:
    """`GET /admin/functions`."""
    return web.json_response([_described(function, base_url, prefix) for function in functions])


def _described(function: Function, base_url: str, prefix: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": function.name,
        "href": f"{base_url}/admin/functions/{function.name}",
        "language": "python",
        "isDisabled": False,
        "config": {"name": function.name, "bindings": list(function.raw_bindings)},
    }
    if function.trigger.type == "httpTrigger":
        route = str(function.trigger.fields.get("route") or function.name)
        path = "/".join(part for part in (prefix, route.strip("/")) if part)
        described["invoke_url_template"] = f"{base_url}/{path}"
    return described


async def manual_input(request: web.Request) -> str:
    """The `input` of `POST /admin/functions/{name}`. ValueError when the body is not right."""
    body = json.loads(await request.read() or b"{}")
    given = body.get("input", "") if isinstance(body, dict) else None
    if given is None:
        raise ValueError('the body must be {"input": …}')
    return given if isinstance(given, str) else json.dumps(given)
