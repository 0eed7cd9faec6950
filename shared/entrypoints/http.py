"""Between the HTTP triggers and the handlers of `shared.web`."""

import azure.functions as func

from shared import runtime
from shared.web.answer import answer, body_text, correlation_id
from shared.web.exchange import ACCESS_KEY, ApiRequest, ApiResponse
from shared.web.handler import Handler

KEY = func.AuthLevel.FUNCTION
"""What every route but health asks for."""


def to_request(req: func.HttpRequest) -> ApiRequest:
    """Return *req* as the handlers want it; the function key stays behind."""
    headers = {name.lower(): text for name, text in req.headers.items()}
    return ApiRequest(
        method=req.method,
        url=req.url,
        correlation_id=correlation_id(headers),
        route=dict(req.route_params),
        query={name: text for name, text in req.params.items() if name != ACCESS_KEY},
        headers=headers,
        body=req.get_body(),
    )


def to_http(response: ApiResponse) -> func.HttpResponse:
    """Return *response* as the Functions worker wants it."""
    return func.HttpResponse(
        body_text(response),
        status_code=response.status,
        headers=response.headers,
        mimetype=response.media_type,
    )


async def serve(req: func.HttpRequest, handler: Handler) -> func.HttpResponse:
    """Answer *req* with *handler*, over the runtime of this process."""
    return to_http(await answer(to_request(req), handler, runtime.current))
