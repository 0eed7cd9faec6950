"""The HTTP functions: each hands its request to a handler of `shared.web`.

All but health ask for a function key. Every route is under the `api` prefix of host.json.
"""

import azure.functions as func

from shared import runtime
from shared.web import api, health, parked, publish
from shared.web.answer import Handler, answer, body_text, correlation_id
from shared.web.exchange import ACCESS_KEY, ApiRequest, ApiResponse

bp = func.Blueprint()
KEY = func.AuthLevel.FUNCTION


def to_request(req: func.HttpRequest) -> ApiRequest:
    """Return *req* as the handlers want it; the function key stays behind."""
    headers = {name.lower(): text for name, text in req.headers.items()}
    return ApiRequest(
        method=req.method,
        url=req.url,
        correlation_id=correlation_id(headers),
        route=dict(req.route_params),
        query={name: text for name, text in req.params.items() if name != ACCESS_KEY},
        headers=headers,
        body=req.get_body(),
    )


def to_http(response: ApiResponse) -> func.HttpResponse:
    """Return *response* as the Functions worker wants it."""
    return func.HttpResponse(
        body_text(response),
        status_code=response.status,
        headers=response.headers,
        mimetype=response.media_type,
    )


async def _serve(req: func.HttpRequest, handler: Handler) -> func.HttpResponse:
    return to_http(await answer(to_request(req), handler, runtime.current))


@bp.route(route="v1/images/{name}/publish", methods=["POST"], auth_level=KEY)
async def api_publish_image(req: func.HttpRequest) -> func.HttpResponse:
    """Start a build of an image now."""
    return await _serve(req, publish.publish_image)


@bp.route(route="v1/images", methods=["GET"], auth_level=KEY)
async def api_list_images(req: func.HttpRequest) -> func.HttpResponse:
    """List the images Assay makes."""
    return await _serve(req, api.list_images)


@bp.route(route="v1/images/{name}", methods=["GET"], auth_level=KEY)
async def api_get_image(req: func.HttpRequest) -> func.HttpResponse:
    """Show one image."""
    return await _serve(req, api.get_image)


@bp.route(route="v1/images/{name}/versions", methods=["GET"], auth_level=KEY)
async def api_list_versions(req: func.HttpRequest) -> func.HttpResponse:
    """List the versions of an image."""
    return await _serve(req, api.list_versions)


@bp.route(route="v1/images/{name}/versions/{version}", methods=["GET"], auth_level=KEY)
async def api_get_version(req: func.HttpRequest) -> func.HttpResponse:
    """Show one image version."""
    return await _serve(req, api.get_version)


@bp.route(route="v1/builds", methods=["GET"], auth_level=KEY)
async def api_list_builds(req: func.HttpRequest) -> func.HttpResponse:
    """List the builds."""
    return await _serve(req, api.list_builds)


@bp.route(route="v1/builds/{id}", methods=["GET"], auth_level=KEY)
async def api_get_build(req: func.HttpRequest) -> func.HttpResponse:
    """Show one build."""
    return await _serve(req, api.get_build)


@bp.route(route="v1/vms", methods=["GET"], auth_level=KEY)
async def api_list_vms(req: func.HttpRequest) -> func.HttpResponse:
    """List the VMs."""
    return await _serve(req, api.list_vms)


@bp.route(route="v1/vms/{*key}", methods=["GET"], auth_level=KEY)
async def api_get_vm(req: func.HttpRequest) -> func.HttpResponse:
    """Show one VM."""
    return await _serve(req, api.get_vm)


@bp.route(route="v1/messages/parked", methods=["GET"], auth_level=KEY)
async def api_list_parked(req: func.HttpRequest) -> func.HttpResponse:
    """List the parked messages."""
    return await _serve(req, parked.list_parked)


@bp.route(route="v1/messages/parked/{id}", methods=["GET"], auth_level=KEY)
async def api_get_parked(req: func.HttpRequest) -> func.HttpResponse:
    """Show one parked message."""
    return await _serve(req, parked.get_parked)


@bp.route(route="v1/messages/parked/{id}/replay", methods=["POST"], auth_level=KEY)
async def api_replay_parked(req: func.HttpRequest) -> func.HttpResponse:
    """Put a parked message back into its queue."""
    return await _serve(req, parked.replay_parked)


@bp.route(route="v1/messages/parked/{id}", methods=["DELETE"], auth_level=KEY)
async def api_discard_parked(req: func.HttpRequest) -> func.HttpResponse:
    """Forget a parked message."""
    return await _serve(req, parked.discard_parked)


@bp.route(route="v1/health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def api_check_health(req: func.HttpRequest) -> func.HttpResponse:
    """Say whether Assay is up."""
    return await _serve(req, health.check_health)
