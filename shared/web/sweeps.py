"""Sweeps of the fleet and the subscriptions they go through; POST sweeps begins one now."""

from datetime import timedelta

from shared.errors import UnavailableError
from shared.messages import SweepFleet
from shared.ports import SweepReport
from shared.web.api import links
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.fleet_schema import SubscriptionsQuery, SweepsQuery
from shared.web.moves import MESSAGES, Move, carry_out, request_token
from shared.web.pages import fetch, page_answer
from shared.web.principal import caller
from shared.web.problems import unknown
from shared.web.schema import MayReasonBody, NoQuery, read_body, read_query
from shared.web.views.sweeps import subscription_view, sweep_view
from shared.web.views.values import instant

SAFETY_SECONDS = 10
"""By then the sweep has begun here, and its message in the queue finds it so."""


async def list_sweeps(request: ApiRequest, app: App) -> ApiResponse:
    """GET sweeps: the newest first, each with what it counted."""
    asked = read_query(request, SweepsQuery)
    page = await fetch(app.sweeps.list(limit=asked.limit, cursor=asked.cursor))
    items = [sweep_view(report, links(request, app)) for report in page.items]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())


async def get_sweep(request: ApiRequest, app: App) -> ApiResponse:
    """GET sweeps/{id}: one sweep with its batches."""
    read_query(request, NoQuery)
    report = await app.sweeps.report(request.route["id"])
    if report is None:
        raise unknown(
            "sweep",
            f"There is no sweep {request.route['id']!r}; sweeps_url lists those there are.",
            sweeps_url=links(request, app).to("sweeps"),
        )
    body = sweep_view(report, links(request, app), batches=True)
    return ApiResponse(status=200, body={**body, "as_of": instant(app.now())})


async def list_subscriptions(request: ApiRequest, app: App) -> ApiResponse:
    """GET subscriptions: by id; with what keeps us from reading them."""
    asked = read_query(request, SubscriptionsQuery)
    page = await fetch(
        app.subscriptions.list(troubled=asked.troubled, limit=asked.limit, cursor=asked.cursor)
    )
    items = [subscription_view(one, links(request, app)) for one in page.items]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())


async def start_sweep(request: ApiRequest, app: App) -> ApiResponse:
    """POST sweeps: begin one now; 202 with the one under way where there is one."""
    read_query(request, NoQuery)
    body = read_body(request, MayReasonBody)
    sweep_id = request_token(request, app)

    async def act() -> ApiResponse:
        known = await app.sweeps.report(sweep_id) or await _under_way(app)
        if known is not None:
            return _started(known, request, app, reused=True)
        command = SweepFleet(sweep_id=sweep_id, asked_by=caller(request, app))
        # First into the queue: should we die in the next line, the sweep begins all the same.
        await app.outbox.send(
            command, correlation_id=request.correlation_id, delay=timedelta(seconds=SAFETY_SECONDS)
        )
        await app.run(command, correlation_id=request.correlation_id)
        begun = await app.sweeps.report(sweep_id)
        if begun is None:
            raise UnavailableError(f"sweep {sweep_id} has begun and cannot be read yet")
        return _started(begun, request, app, reused=False)

    move = Move(
        what="sweep",
        scope=MESSAGES,
        subject=f"sweeps/{sweep_id}",
        why=body.reason or "",
        look=lambda: _look(app),
        act=act,
    )
    return await carry_out(move, request, app)


async def _under_way(app: App) -> SweepReport | None:
    state = await app.sweeps.state()
    current = await app.sweeps.report(state.value.current) if state.value.current else None
    return current if current and current.sweep.running else None


async def _look(app: App) -> Json:
    state = await app.sweeps.state()
    return {"under_way": state.value.current or None, "last_done": state.value.last or None}


def _started(report: SweepReport, request: ApiRequest, app: App, *, reused: bool) -> ApiResponse:
    view = sweep_view(report, links(request, app))
    return ApiResponse(
        status=202,
        body={**view, "reused": reused, "as_of": instant(app.now())},
        headers={"Location": str(view["url"])},
    )
