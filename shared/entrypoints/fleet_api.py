"""The HTTP functions about VMs; see `shared/entrypoints/api.py`."""

import azure.functions as func

from shared.entrypoints.http import KEY, serve
from shared.web import api

bp = func.Blueprint()


@bp.route(route="v1/vms", methods=["GET"], auth_level=KEY)
async def api_list_vms(req: func.HttpRequest) -> func.HttpResponse:
    """List the VMs."""
    return await serve(req, api.list_vms)


@bp.route(route="v1/vms/{*key}", methods=["GET"], auth_level=KEY)
async def api_get_vm(req: func.HttpRequest) -> func.HttpResponse:
    """Show one VM."""
    return await serve(req, api.get_vm)
