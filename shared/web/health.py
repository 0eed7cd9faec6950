"""GET health: is Assay up, and does its storage answer? Anyone may ask, so it says little else."""

import asyncio
import logging

from shared import __version__
from shared.errors import AssayError
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.views.values import instant

PATIENCE_SECONDS = 5.0
"""How long storage may take to answer."""

_log = logging.getLogger("assay")


async def check_health(request: ApiRequest, app: App) -> ApiResponse:
    """Answer 200 when storage answers, else 503; why it does not is in the log alone."""
    answers = await _storage_answers(request, app)
    return ApiResponse(
        status=200 if answers else 503,
        body={
            "status": "healthy" if answers else "unhealthy",
            "version": __version__,
            "definitions": len(app.definitions),
            "storage": "answers" if answers else "does not answer",
            "as_of": instant(app.now()),
        },
    )


async def _storage_answers(request: ApiRequest, app: App) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await app.builds.list(limit=1)
    except (AssayError, TimeoutError) as error:
        seen = {"correlation_id": request.correlation_id}
        _log.warning("storage does not answer: %r", error, extra=seen)
        return False
    return True
