"""The HTTP functions about sweeps; see `shared/entrypoints/api.py`."""

import azure.functions as func

from shared.entrypoints.http import KEY, serve
from shared.web import sweeps

bp = func.Blueprint()


@bp.route(route="v1/sweeps", methods=["GET"], auth_level=KEY)
async def api_list_sweeps(req: func.HttpRequest) -> func.HttpResponse:
    """List the sweeps of the fleet."""
    return await serve(req, sweeps.list_sweeps)


@bp.route(route="v1/sweeps", methods=["POST"], auth_level=KEY)
async def api_start_sweep(req: func.HttpRequest) -> func.HttpResponse:
    """Begin a sweep now."""
    return await serve(req, sweeps.start_sweep)


@bp.route(route="v1/sweeps/{id}", methods=["GET"], auth_level=KEY)
async def api_get_sweep(req: func.HttpRequest) -> func.HttpResponse:
    """Show one sweep."""
    return await serve(req, sweeps.get_sweep)


@bp.route(route="v1/subscriptions", methods=["GET"], auth_level=KEY)
async def api_list_subscriptions(req: func.HttpRequest) -> func.HttpResponse:
    """List the subscriptions whose VMs are tracked."""
    return await serve(req, sweeps.list_subscriptions)
