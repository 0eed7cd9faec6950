"""The HTTP functions about policy states; see `shared/entrypoints/api.py`."""

import azure.functions as func

from shared.entrypoints.http import KEY, serve
from shared.web import policy_sweeps

bp = func.Blueprint()


@bp.route(route="v1/policy-sweeps", methods=["GET"], auth_level=KEY)
async def api_list_policy_sweeps(req: func.HttpRequest) -> func.HttpResponse:
    """List the sweeps through policy states."""
    return await serve(req, policy_sweeps.list_policy_sweeps)
