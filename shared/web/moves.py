"""Moves: requests that change something. Each leaves a line in the audit, made before it acts.

So a move that dies half-way is in the audit all the same, as asked for and without an outcome.
"""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from shared.domain.identifiers import digest
from shared.errors import AssayError, NotAllowedError, RetryableError
from shared.messages import Command
from shared.ports import AuditEntry
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.principal import caller
from shared.web.schema import read_idempotency_key
from shared.web.views.values import instant

_LONGEST = 500
"""Characters of an error in the audit."""

MESSAGES = "messages"
"""Scope of moves that belong to no image."""


def image_scope(definition: str) -> str:
    """Return the scope that the moves of an image and of its builds are listed under."""
    return f"images/{definition}"


type Act = Callable[[], Awaitable[ApiResponse]]
"""Does what was asked for and returns the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One request to change something; *look* returns the state it is about to change."""

    what: str
    """The verb: `revoke`, `cancel` …"""
    scope: str
    subject: str
    why: str
    look: Callable[[], Awaitable[Json]]
    act: Act


async def carry_out(move: Move, request: ApiRequest, app: App) -> ApiResponse:
    """Write down what is asked, do it, and write down what came of it.

    Nothing is done when it cannot be written down. Errors of the move are raised.
    """
    entry = AuditEntry(
        id=uuid.uuid4().hex,
        scope=move.scope,
        subject=move.subject,
        what=move.what,
        who=caller(request, app),
        why=move.why,
        before=await move.look(),
        at=app.now(),
        correlation_id=request.correlation_id,
    )
    await app.audit.write(entry)
    try:
        response = await move.act()
    except AssayError as error:
        outcome = "failed" if isinstance(error, RetryableError) else "refused"
        await app.audit.write(replace(entry, outcome=outcome, detail=str(error)[:_LONGEST]))
        if isinstance(error, NotAllowedError):
            error.state = error.state or entry.before
        raise
    await app.audit.write(replace(entry, outcome="done", after=await move.look()))
    return response


def running(
    command: Command, view: Callable[[], Awaitable[Json]], request: ApiRequest, app: App
) -> Act:
    """Return what runs the step of *command* here and now, and answers 200 with *view*."""

    async def act() -> ApiResponse:
        await app.run(command, correlation_id=request.correlation_id)
        return ApiResponse(status=200, body={**await view(), "as_of": instant(app.now())})

    return act


def request_token(request: ApiRequest, app: App) -> str:
    """Return what names this request and its repeats: its key; without one it has no repeats."""
    key = read_idempotency_key(request)
    if key is None:
        return uuid.uuid4().hex
    return digest(caller(request, app), request.path, key)
