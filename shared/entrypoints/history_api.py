"""The HTTP functions about the past; see `shared/entrypoints/api.py`.

A VM's key may be a resource id, an image an id and a team have slashes: each takes the rest of the
path, so what is asked of it comes before.
"""

import azure.functions as func

from shared.entrypoints.http import KEY, serve
from shared.web import history

bp = func.Blueprint()


@bp.route(route="v1/history/vms/{*key}", methods=["GET"], auth_level=KEY)
async def api_get_vm_history(req: func.HttpRequest) -> func.HttpResponse:
    """List what happened to a VM."""
    return await serve(req, history.get_vm_history)


@bp.route(route="v1/history/states/{*key}", methods=["GET"], auth_level=KEY)
async def api_get_vm_state(req: func.HttpRequest) -> func.HttpResponse:
    """Show what was true of a VM at a moment."""
    return await serve(req, history.get_vm_state)


@bp.route(route="v1/history/compliance/{*key}", methods=["GET"], auth_level=KEY)
async def api_get_vm_compliance(req: func.HttpRequest) -> func.HttpResponse:
    """Show when, and for how long, a VM was out of policy."""
    return await serve(req, history.get_vm_compliance)


@bp.route(route="v1/history/teams/{*team}", methods=["GET"], auth_level=KEY)
async def api_get_team_history(req: func.HttpRequest) -> func.HttpResponse:
    """List what happened to the VMs of a team."""
    return await serve(req, history.get_team_history)


@bp.route(route="v1/history/images/{*image}", methods=["GET"], auth_level=KEY)
async def api_get_image_history(req: func.HttpRequest) -> func.HttpResponse:
    """List what happened to the VMs that run or ran an image."""
    return await serve(req, history.get_image_history)
