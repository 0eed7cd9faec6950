"""A webhook that Event Grid may deliver to."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Webhook:
    """Consents to either handshake, remembers what it got, answers as told."""

    url: str = ""
    consents: bool = True
    answers: list[int] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    handshakes: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            self.handshakes.append("event")
            code = body[0]["data"]["validationCode"] if self.consents else "no"
            return web.json_response({"validationResponse": code})
        self.headers.append(dict(request.headers))
        self.received += body if isinstance(body, list) else [body]
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def consent(self, request: web.Request) -> web.Response:
        self.handshakes.append(request.headers["WebHook-Request-Origin"])
        headers = {"WebHook-Allowed-Origin": "eventgrid.azure.net"} if self.consents else {}
        return web.Response(headers=headers)


@asynccontextmanager
async def serve_webhook() -> AsyncIterator[Webhook]:
    """A webhook on a free port."""
    hook = Webhook()
    app = web.Application()
    app.router.add_post("/events", hook.take)
    app.router.add_options("/events", hook.consent)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
    try:
        yield hook
    finally:
        await runner.cleanup()
