"""Turns aiohttp requests into HTTP trigger invocations, and their outcomes into responses."""

from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web
from multidict import MultiMapping

from localcloud.host.invoker import Invoker
from localcloud.host.protos import RpcHttp, RpcHttpCookie, TypedData
from localcloud.host.routes import Route
from localcloud.host.worker import Outcome

_SAME_SITE = {"Lax": "Lax", "Strict": "Strict", "ExplicitNone": "None"}


async def serve(request: web.Request, routes: list[Route], invoker: Invoker) -> web.Response:
    """Invoke the first function whose route matches; 404 when none does, whatever the method."""
    for route in routes:
        params = route.match(request.method, request.rel_url.raw_path)
        if params is not None:
            data = TypedData(http=await _incoming(request, params))
            return _response(await invoker.invoke(route.function, data))
    return web.Response(status=404)


async def _incoming(request: web.Request, params: dict[str, str]) -> RpcHttp:
    return RpcHttp(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): text for name, text in _joined(request.headers).items()},
        params=params,
        # The Python worker gets no query parameter with an empty value (GrpcMessageConversion-
        # Extensions, https://github.com/Azure/azure-functions-host).
        query={name: text for name, text in _joined(request.query).items() if text},
        body=TypedData(bytes=await request.read()),
    )


def _joined(values: MultiMapping[str]) -> dict[str, str]:
    return {name: ",".join(values.getall(name)) for name in values}


def _response(outcome: Outcome) -> web.Response:
    data = outcome.return_value
    if outcome.error is not None or data is None:
        # The reason is in the log and the counters; Azure too answers with an empty 500.
        return web.Response(status=500 if outcome.error else 204)
    if data.kind != "http":
        return web.Response(text=str(data.value))
    answer: RpcHttp = data.value
    response = web.Response(
        status=int(answer.status_code), headers=answer.headers, body=answer.body.value
    )
    for cookie in answer.cookies:
        _set_cookie(response, cookie)
    return response


def _set_cookie(response: web.Response, cookie: RpcHttpCookie) -> None:
    given = cookie.attributes
    expires = given.get("expires")
    same_site = given.get("same_site")
    max_age = given.get("max_age")
    response.set_cookie(
        cookie.name,
        cookie.value,
        domain=given["domain"].value or None if given.get("domain") else None,
        path=given["path"].value or "/" if given.get("path") else "/",
        expires=_http_date(expires.value.seconds) if expires else None,
        max_age=int(max_age.value) if max_age else None,
        secure=bool(given.get("secure") and given["secure"].value),
        httponly=bool(given.get("http_only") and given["http_only"].value),
        samesite=_SAME_SITE.get(same_site.name) if same_site is not None else None,
    )


def _http_date(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)
