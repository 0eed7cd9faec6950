"""The HTTP functions about VMs; see `shared/entrypoints/api.py`."""

import azure.functions as func

from shared.entrypoints.http import KEY, serve
from shared.web import api, image_users, scale_sets

bp = func.Blueprint()


@bp.route(route="v1/vms", methods=["GET"], auth_level=KEY)
async def api_list_vms(req: func.HttpRequest) -> func.HttpResponse:
    """List the VMs."""
    return await serve(req, api.list_vms)


@bp.route(route="v1/vms/{*key}", methods=["GET"], auth_level=KEY)
async def api_get_vm(req: func.HttpRequest) -> func.HttpResponse:
    """Show one VM."""
    return await serve(req, api.get_vm)


@bp.route(route="v1/images/{name}/versions/{version}/users", methods=["GET"], auth_level=KEY)
async def api_list_image_users(req: func.HttpRequest) -> func.HttpResponse:
    """List who uses an image version."""
    return await serve(req, image_users.list_image_users)


@bp.route(route="v1/scale-sets", methods=["GET"], auth_level=KEY)
async def api_list_scale_sets(req: func.HttpRequest) -> func.HttpResponse:
    """List the scale sets."""
    return await serve(req, scale_sets.list_scale_sets)


@bp.route(route="v1/scale-sets/{*key}", methods=["GET"], auth_level=KEY)
async def api_get_scale_set(req: func.HttpRequest) -> func.HttpResponse:
    """Show one scale set."""
    return await serve(req, scale_sets.get_scale_set)
