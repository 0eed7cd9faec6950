"""GET schemas/events/{file}: the JSON Schema of the data of an event, at an address that stays."""

import json

from shared.announcements import EVENT_TYPES
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.problems import unknown
from shared.web.schema import NoQuery, read_query

_BY_FILE = {t.schema_name.lower(): t for t in EVENT_TYPES}


async def get_event_schema(request: ApiRequest, app: App) -> ApiResponse:  # noqa: ARG001 - handlers are alike
    """Answer the schema; one version never changes but by fields added, so it may be cached."""
    read_query(request, NoQuery)
    kind = _BY_FILE.get(request.route["file"].lower())
    if kind is None:
        known = [t.schema_name for t in EVENT_TYPES]
        raise unknown("schema", f"There is no event schema {request.route['file']!r}.", known=known)
    return ApiResponse(
        status=200,
        body=json.loads(kind.schema_text()),
        media_type="application/schema+json",
        headers={"Cache-Control": "public, max-age=86400"},
    )
