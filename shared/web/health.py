"""GET health: is Assay up, does its storage answer, and is the fleet swept?

Anyone may ask, so it says little else.
"""

import asyncio
import logging
from datetime import datetime, timedelta

from shared import __version__
from shared.domain.sweep import SweepState
from shared.errors import AssayError
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.views.values import instant, instant_or_none

PATIENCE_SECONDS = 5.0
"""How long storage may take to answer."""

OVERDUE = timedelta(hours=25)
"""Age of the last sweep that was done from which health is degraded: longer than any schedule one
would set."""

_MOST = 1000
"""Unreadable subscriptions counted; with more it says as many."""

_log = logging.getLogger("assay")


async def check_health(request: ApiRequest, app: App) -> ApiResponse:
    """Answer 200 when storage answers, else 503; why it does not is in the log alone.

    What is wrong with the fleet makes the status `degraded`, under 200: restarting Assay does not
    mend it.
    """
    fleet = await _fleet(request, app)
    status = "unhealthy" if fleet is None else "degraded" if fleet["problem"] else "healthy"
    return ApiResponse(
        status=503 if fleet is None else 200,
        body={
            "status": status,
            "version": __version__,
            "definitions": len(app.definitions),
            "storage": "does not answer" if fleet is None else "answers",
            "fleet": fleet,
            "as_of": instant(app.now()),
        },
    )


async def _fleet(request: ApiRequest, app: App) -> Json | None:
    """Return how the fleet is swept; None when storage does not answer."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await app.builds.list(limit=1)
            state = (await app.sweeps.state()).value
            troubled = await app.subscriptions.list(troubled=True, limit=_MOST)
    except (AssayError, TimeoutError) as error:
        seen = {"correlation_id": request.correlation_id}
        _log.warning("storage does not answer: %r", error, extra=seen)
        return None
    unreadable = len(troubled.items)
    return {
        "subscriptions": state.subscriptions,
        "unreadable": unreadable,
        "last_sweep_at": instant_or_none(state.last_began_at),
        "problem": _problem(state, unreadable, app.now()),
    }


def _problem(state: SweepState, unreadable: int, now: datetime) -> str | None:
    if unreadable:
        return (
            f"{unreadable} subscriptions, or their policy states, cannot be read; "
            "GET subscriptions?troubled=true"
        )
    since = state.last_began_at or state.first_began_at
    if since is not None and now - since > OVERDUE:
        return "no sweep was done for more than a day; GET sweeps says why"
    return None
