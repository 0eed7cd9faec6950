"""GET images/{name}/versions/{version}/lineage: parents, children and source of a version."""

from shared.domain.chain import root_of
from shared.domain.family import draw_dot, draw_mermaid
from shared.factory.lineage import family_of
from shared.web.api import links, version_asked
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.negotiation import JSON, VARY, negotiate
from shared.web.schema import LineageQuery, read_query
from shared.web.views.lineage import family_view
from shared.web.views.values import instant

_FORMS = {"json": JSON, "mermaid": "text/vnd.mermaid", "dot": "text/vnd.graphviz"}
"""Media types as registered (https://www.iana.org/assignments/media-types/media-types.xhtml)."""
_DRAWERS = {_FORMS["mermaid"]: draw_mermaid, _FORMS["dot"]: draw_dot}


async def get_lineage(request: ApiRequest, app: App) -> ApiResponse:
    """Answer the family as JSON, or as a drawing when `format` or `Accept` asks for one."""
    asked = read_query(request, LineageQuery)
    form = negotiate(request, asked.format, _FORMS)
    version = await version_asked(request, app)
    family = await family_of(version, image_versions=app.image_versions, depth=asked.depth)
    if draw := _DRAWERS.get(form):
        return ApiResponse(status=200, text=draw(family), media_type=form, headers=VARY)
    body = family_view(family, root_of(version), links(request, app))
    return ApiResponse(
        status=200,
        body={**body, "depth": asked.depth, "as_of": instant(app.now())},
        headers=VARY,
    )
