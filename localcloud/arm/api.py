"""Resource Manager's front door: who may come in, which route, which fault, what is logged."""

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from localcloud.arm import (
    attestations,
    disks,
    gallery,
    gallery_versions,
    image_builder,
    machine_power,
    machines,
    managed_images,
    marketplace,
    operations,
    policy_assignments,
    policy_queries,
    resource_graph,
    run_commands,
    scale_set_upgrades,
    scale_set_vms,
    scale_sets,
    staging,
)
from localcloud.arm.errors import ArmError, authorization_failed, bad_request
from localcloud.arm.events import APP_ID, TENANT_ID
from localcloud.arm.faults import HttpFault
from localcloud.arm.operations import Family
from localcloud.arm.routing import Call, Reply, Router
from localcloud.arm.store import Json
from localcloud.arm.traffic import Exchange

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_SECRET_HEADERS = {"authorization", "aeg-sas-key"}
_AZURE = "https://management.azure.com"


def make_router() -> Router:
    """All operations of all providers."""
    return Router(
        [
            *marketplace.ROUTES,
            *image_builder.ROUTES,
            *gallery.ROUTES,
            *gallery_versions.ROUTES,
            *machines.ROUTES,
            *machine_power.ROUTES,
            *managed_images.ROUTES,
            *run_commands.ROUTES,
            *staging.ROUTES,
            *disks.ROUTES,
            *scale_sets.ROUTES,
            *scale_set_upgrades.ROUTES,
            *scale_set_vms.ROUTES,
            *policy_queries.ROUTES,
            *policy_assignments.ROUTES,
            *attestations.ROUTES,
            *resource_graph.ROUTES,
            *operations.routes(
                {
                    Family.IMAGE_BUILDER: image_builder.VERSIONS,
                    Family.GALLERY: gallery.VERSIONS,
                    Family.COMPUTE: machines.VERSIONS,
                    Family.DISK: disks.VERSIONS,
                    Family.POLICY: policy_queries.VERSIONS,
                }
            ),
        ]
    )


class FrontDoor:
    """Answers every Resource Manager request."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._router = make_router()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request, and log it."""
        text = await request.text()
        self._cloud.scheduler.run_due()
        operation = ""
        try:
            call = self._admit(request, text)
            operation = call.route.name
            reply = await self._carry_out(call)
        except ArmError as refusal:
            reply = Reply(refusal.status, refusal.body(), refusal.headers)
        return self._answer(request, text, operation, reply)

    def _admit(self, request: web.Request, text: str) -> Call:
        _require_token(request)
        version = request.query.get("api-version", "")
        path = request.path.replace("//", "/")
        route, params = self._router.match(request.method, path, version)
        subscription = params.get("sub")
        if subscription and not self._cloud.tenant.knows(subscription):
            raise ArmError(
                HTTPStatus.NOT_FOUND,
                "SubscriptionNotFound",
                f"The subscription '{subscription}' could not be found.",
                headers={"x-ms-failure-cause": "gateway"},
            )
        call = Call(
            route=route,
            path=path,
            params=params,
            query=dict(request.query),
            body=_parsed(text),
            base_url=f"{request.scheme}://{request.host}",
            correlation_id=self._cloud.guids.next(),
            client_request_id=request.headers.get("x-ms-client-request-id", ""),
        )
        if subscription and not self._cloud.tenant.may_read(subscription):
            raise authorization_failed(APP_ID, call.permission, path)
        return call

    async def _carry_out(self, call: Call) -> Reply:
        fault = self._cloud.faults.http(call.route.method, call.route.name, call.path)
        if fault is not None:
            await asyncio.sleep(fault.delay_seconds)
            if not fault.commit:
                _fail(fault)
        reply = self._change(call)
        if fault is not None:
            _fail(fault)
        return reply

    def _change(self, call: Call) -> Reply:
        try:
            reply = call.route.handler(self._cloud, call)
        except ArmError:
            self._report(call, "Failed")
            raise
        # What the handler returned may be changed by what comes next: freeze it here.
        frozen = Reply(reply.status, _frozen(reply.body), reply.headers)
        # A deletion of what is not there (204) changes nothing, so it is no event.
        nothing = reply.status == HTTPStatus.NO_CONTENT and call.route.method == "DELETE"
        if not call.operation_started and not nothing:
            self._report(call, "Succeeded")
        return frozen

    def _report(self, call: Call, status: str) -> None:
        target = call.path if call.route.method != "POST" else call.path.rsplit("/", 1)[0]
        change = call.change(target)
        if change is not None:
            self._cloud.events.resource_changed(change, status)

    def _answer(
        self, request: web.Request, text: str, operation: str, reply: Reply
    ) -> web.Response:
        headers = {
            "x-ms-request-id": self._cloud.guids.next(),
            "x-ms-ratelimit-remaining-subscription-reads": "249",
            **reply.headers,
        }
        if reply.body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        self._cloud.traffic.add(
            Exchange(
                operation=operation,
                method=request.method,
                url=_AZURE + str(request.rel_url),
                request_headers={
                    key: value
                    for key, value in request.headers.items()
                    if key.lower() not in _SECRET_HEADERS
                },
                request_body=_as_logged(text),
                status=reply.status,
                response_headers=dict(headers),
                response_body=reply.body,
            )
        )
        body = b"" if reply.body is None else json.dumps(reply.body).encode()
        return web.Response(status=reply.status, body=body, headers=headers)


def _require_token(request: web.Request) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return
    raise ArmError(
        HTTPStatus.UNAUTHORIZED,
        "AuthenticationFailed",
        "Authentication failed. The 'Authorization' header is missing.",
        headers={
            "WWW-Authenticate": f'Bearer authorization_uri="https://login.windows.net/{TENANT_ID}"'
            ', error="invalid_token", error_description="The access token is missing or invalid."'
        },
    )


def _parsed(text: str) -> Json:
    if not text:
        return {}
    try:
        parsed: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise bad_request(
            "InvalidRequestContent", f"The request content was invalid: {error}."
        ) from error
    if not isinstance(parsed, dict):
        raise bad_request("InvalidRequestContent", "The request content is no JSON object.")
    return parsed


def _as_logged(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text  # it was refused; what was sent is worth keeping all the same


def _frozen(body: Any) -> Any:
    return None if body is None else json.loads(json.dumps(body))


def _fail(fault: HttpFault) -> None:
    if fault.status is None:
        return
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    raise ArmError(fault.status, fault.code, fault.message, headers=headers)
