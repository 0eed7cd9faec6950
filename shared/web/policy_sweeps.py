"""GET policy-sweeps: what sweeps through the policy states found that no event had told."""

from shared.web.api import links
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.pages import fetch, page_answer
from shared.web.schema import PageQuery, read_query
from shared.web.views.policy import policy_sweep_view


async def list_policy_sweeps(request: ApiRequest, app: App) -> ApiResponse:
    """GET policy-sweeps: one item per sweep and subscription, the newest sweep first."""
    asked = read_query(request, PageQuery)
    page = await fetch(app.policy_sweeps.list(limit=asked.limit, cursor=asked.cursor))
    items = [policy_sweep_view(sweep) for sweep in page.items]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())
