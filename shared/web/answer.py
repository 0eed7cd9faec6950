"""From request to answer: one place for errors, headers and the correlation id."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from shared.errors import AssayError
from shared.telemetry import new_correlation_id
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.handler import Handler
from shared.web.once import once
from shared.web.problems import UNEXPECTED, problem_of, to_response

CORRELATION_HEADER = "X-Correlation-Id"
_CORRELATION = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_SERVER_ERROR = 500
_LINE = "%s %s -> %d (correlation id %s)"

_log = logging.getLogger("assay")


def correlation_id(headers: Mapping[str, str]) -> str:
    """Return the caller's correlation id, or a new one when there is none we can use."""
    given = headers.get(CORRELATION_HEADER.lower(), "")
    return given if _CORRELATION.fullmatch(given) else new_correlation_id()


async def answer(request: ApiRequest, handler: Handler, current: Callable[[], App]) -> ApiResponse:
    """Answer *request* with *handler*, over the app that *current* returns; never raises.

    An error becomes a problem; the log has what the caller may not see.
    """
    try:
        app = current()
        asked_to_act = request.method == "POST"
        response = await (once(request, app, handler) if asked_to_act else handler(request, app))
    except AssayError as error:
        response = to_response(problem_of(error), request)
        if response.status >= _SERVER_ERROR:
            _log.warning(_LINE + ": %s", *_seen(request, response), error)
    except Exception:  # noqa: BLE001 - nothing is hidden: the log gets all of it
        response = to_response(UNEXPECTED, request)
        _log.exception(_LINE, *_seen(request, response))
    return replace(
        response,
        headers={
            **_HEADERS,
            CORRELATION_HEADER: request.correlation_id,
            **response.headers,
        },
    )


def _seen(request: ApiRequest, response: ApiResponse) -> tuple[str, str, int, str]:
    return request.method, request.path, response.status, request.correlation_id


def body_text(response: ApiResponse) -> str:
    """Return the body of *response* as text: its own, or JSON; empty when there is none."""
    if response.text is not None:
        return response.text
    return "" if response.body is None else json.dumps(response.body, ensure_ascii=False)
