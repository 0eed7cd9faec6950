"""The managed identity endpoint, as App Service and Azure Functions offer it."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from localcloud.arm.events import APP_ID

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

PATH = "/msi/token"
_VERSION = "2019-08-01"
_LIFETIME_SECONDS = 86_400


def add_routes(app: web.Application, cloud: "Cloud") -> None:
    """Serve `GET /msi/token` (Azure docs: "How to use managed identities for App Service")."""

    async def token(request: web.Request) -> web.Response:
        if request.headers.get("X-IDENTITY-HEADER") != cloud.options.identity_header:
            return _refusal(HTTPStatus.UNAUTHORIZED, "The X-IDENTITY-HEADER is not right.")
        if request.query.get("api-version") != _VERSION or not request.query.get("resource"):
            return _refusal(
                HTTPStatus.BAD_REQUEST, f"A resource and the api-version {_VERSION} are needed."
            )
        expires = int(cloud.clock.now().timestamp()) + _LIFETIME_SECONDS
        return web.json_response(
            {
                "access_token": f"simulated.{cloud.guids.next()}",
                "expires_on": str(expires),
                "resource": request.query["resource"],
                "token_type": "Bearer",
                "client_id": request.query.get("client_id", APP_ID).upper(),
            }
        )

    app.router.add_get(PATH, token)


def _refusal(status: HTTPStatus, message: str) -> web.Response:
    return web.json_response({"statusCode": int(status), "message": message}, status=status)
