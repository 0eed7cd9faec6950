"""The HTTP functions of reports and exports; see `shared/entrypoints/api.py`."""

import azure.functions as func

from shared.entrypoints.http import KEY, serve
from shared.web import exports, reports

bp = func.Blueprint()


@bp.route(route="v1/reports/summary", methods=["GET"], auth_level=KEY)
async def api_get_summary(req: func.HttpRequest) -> func.HttpResponse:
    """Show the fleet in numbers."""
    return await serve(req, reports.get_summary)


@bp.route(route="v1/reports/trend", methods=["GET"], auth_level=KEY)
async def api_get_trend(req: func.HttpRequest) -> func.HttpResponse:
    """Show the fleet in numbers over time."""
    return await serve(req, reports.get_trend)


@bp.route(route="v1/reports/adoption", methods=["GET"], auth_level=KEY)
async def api_get_adoption(req: func.HttpRequest) -> func.HttpResponse:
    """Show how the fleet took a version up."""
    return await serve(req, reports.get_adoption)


@bp.route(route="v1/reports/overdue", methods=["GET"], auth_level=KEY)
async def api_list_overdue(req: func.HttpRequest) -> func.HttpResponse:
    """List the VMs whose due day has passed."""
    return await serve(req, reports.list_overdue)


@bp.route(route="v1/exports", methods=["POST"], auth_level=KEY)
async def api_create_export(req: func.HttpRequest) -> func.HttpResponse:
    """Have the register written into a file."""
    return await serve(req, exports.create_export)


@bp.route(route="v1/exports/{id}", methods=["GET"], auth_level=KEY)
async def api_get_export(req: func.HttpRequest) -> func.HttpResponse:
    """Show how far an export is."""
    return await serve(req, exports.get_export)


@bp.route(route="v1/exports/{id}/file", methods=["GET"], auth_level=KEY)
async def api_get_export_file(req: func.HttpRequest) -> func.HttpResponse:
    """Send the client to the file of an export."""
    return await serve(req, exports.get_export_file)
