"""GET audit: who asked for what, why, and what it changed."""

from shared.ports import AuditEntry
from shared.web.api import links
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json, Links
from shared.web.moves import MESSAGES, image_scope
from shared.web.pages import fetch, page_answer
from shared.web.schema import AuditQuery, read_query
from shared.web.views.values import instant


async def list_audit(request: ApiRequest, app: App) -> ApiResponse:
    """GET audit: the moves of one image and its builds, or of parked messages, newest first."""
    asked = read_query(request, AuditQuery)
    scope = image_scope(asked.image) if asked.image else MESSAGES
    page = await fetch(
        app.audit.list(scope, subject=asked.subject, limit=asked.limit, cursor=asked.cursor)
    )
    items = [audit_view(entry, links(request, app)) for entry in page.items]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())


def audit_view(entry: AuditEntry, links: Links) -> Json:
    """Return one entry as it is answered."""
    return {
        "id": entry.id,
        "at": instant(entry.at),
        "who": entry.who,
        "what": entry.what,
        "why": entry.why or None,
        "subject": entry.subject,
        "url": links.to(*entry.subject.split("/")),
        "outcome": entry.outcome,
        "detail": entry.detail or None,
        "before": entry.before,
        "after": entry.after,
        "correlation_id": entry.correlation_id,
    }
