"""GET images/{name}/versions/{version}/lineage: parents, children and source of a version."""

from shared.domain.chain import root_of
from shared.domain.family import draw_dot, draw_mermaid
from shared.factory.lineage import family_of
from shared.web.api import links, version_asked
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.schema import LineageQuery, read_query
from shared.web.views.lineage import family_view
from shared.web.views.values import instant

_DRAWINGS = {
    "mermaid": ("text/vnd.mermaid", draw_mermaid),
    "dot": ("text/vnd.graphviz", draw_dot),
}
"""Media type and drawer of each notation
(https://www.iana.org/assignments/media-types/media-types.xhtml)."""


async def get_lineage(request: ApiRequest, app: App) -> ApiResponse:
    """Answer the family as JSON, or as a drawing when `format` or `Accept` asks for one."""
    asked = read_query(request, LineageQuery)
    version = await version_asked(request, app)
    family = await family_of(version, image_versions=app.image_versions, depth=asked.depth)
    notation = asked.format or _accepted(request.headers.get("accept", ""))
    if notation in _DRAWINGS:
        media_type, draw = _DRAWINGS[notation]
        return ApiResponse(
            status=200,
            text=draw(family),
            media_type=media_type,
            headers={"Vary": "Accept"},
        )
    body = family_view(family, root_of(version), links(request, app))
    return ApiResponse(
        status=200,
        body={**body, "depth": asked.depth, "as_of": instant(app.now())},
        headers={"Vary": "Accept"},
    )


def _accepted(accept: str) -> str:
    """Return the notation `Accept` asks for; `json` unless it names a drawing's media type."""
    offers = {offer.partition(";")[0].strip().lower() for offer in accept.split(",")}
    named = (name for name, (media_type, _) in _DRAWINGS.items() if media_type in offers)
    return next(named, "json")
