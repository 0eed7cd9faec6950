"""The host's HTTP side: admin interface, Event Grid webhook and HTTP functions on one port."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from localcloud.host import admin, eventgrid, http
from localcloud.host.bindings import Function
from localcloud.host.invoker import Invoker
from localcloud.host.routes import build_routes
from localcloud.ports import ensure_free

# The real host takes bodies up to 100 MB ("HTTP trigger: Limits", Microsoft Learn).
MAX_BODY_BYTES = 100 * 1024 * 1024

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serve(handler: Handler, port: int, *, grace: float) -> AsyncIterator[str]:
    """Serve on 127.0.0.1 and yield the base URL. PortTakenError when the port is in use."""
    ensure_free(port, "port")
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=grace)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Site:
    """Sends each request to the part of the host it is for."""

    def __init__(
        self,
        functions: list[Function],
        *,
        prefix: str,
        invoker: Invoker,
        run_by_hand: Callable[[Function, str], None],
    ) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._event_functions = {
            name: function
            for name, function in self._functions.items()
            if function.trigger.type == "eventGridTrigger"
        }
        self._prefix = prefix
        self._routes = build_routes(functions, prefix)
        self._invoker = invoker
        self._run_by_hand = run_by_hand

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        parts = request.path.lower().strip("/").split("/")
        if "/" + "/".join(parts) == eventgrid.PATH:
            return await eventgrid.serve(request, self._event_functions, self._invoker)
        if parts[0] == "admin":
            return await self._admin(request, parts[1:])
        return await http.serve(request, self._routes, self._invoker)

    async def _admin(self, request: web.Request, parts: list[str]) -> web.Response:
        match request.method, parts:
            case "GET", ["host", "status"]:
                return admin.status(self._functions.values())
            case "GET", ["functions"]:
                base_url = str(request.url.origin())
                return admin.list_functions(self._functions.values(), base_url, self._prefix)
            case "POST", ["functions", name] if name in self._functions:
                return await self._run(request, self._functions[name])
        return web.Response(status=404)

    async def _run(self, request: web.Request, function: Function) -> web.Response:
        if function.trigger.type == "httpTrigger":
            return web.Response(status=400, text="call an HTTP function by its own URL")
        try:
            self._run_by_hand(function, await admin.manual_input(request))
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        return web.Response(status=202)
