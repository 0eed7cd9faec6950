"""The control surface under `/_sim/`: JSON in, JSON out, for loopback only."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import Field, ValidationError

from localcloud.arm import (
    control_events,
    control_guests,
    control_policy,
    control_tenant,
    scale_set_control,
)
from localcloud.arm.control_table import Body, Control, Table
from localcloud.arm.faults import parse_fault
from localcloud.arm.guest_commands import GuestRule
from localcloud.arm.store import Json
from localcloud.errors import LocalCloudError

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


class _Version(Body):
    publisher: str
    offer: str
    sku: str
    version: str
    deprecation: Json | None = None


class _Advance(Body):
    seconds: float = Field(ge=0)


class _Dump(Body):
    dir: str


async def _summary(cloud: "Cloud", _: Any) -> Json:
    return {
        "now": cloud.clock.now().isoformat(),
        "dial": cloud.clock.dial,
        "factor": cloud.clock.factor,
        "subscriptions": list(cloud.options.subscriptions),
        "resources": cloud.store.counts(),
        "changesToCome": cloud.scheduler.waiting,
        "delivering": cloud.events.busy,
        "deadLetters": len(cloud.events.dead_letters),
        "exchanges": len(cloud.traffic),
    }


async def _resources(cloud: "Cloud", _: Any) -> list[Json]:
    return [
        {"id": resource.id, "type": resource.type, "body": resource.body}
        for kind in cloud.store.counts()
        for resource in cloud.store.of_type(kind)
    ]


async def _marketplace(cloud: "Cloud", _: Any) -> list[Json]:
    return [asdict(plan) for plan in cloud.marketplace.plans()]


async def _publish_version(cloud: "Cloud", body: Any) -> None:
    asked = _Version.model_validate(body)
    cloud.marketplace.publish(asked.publisher, asked.offer, asked.sku, asked.version)
    plan = cloud.marketplace.find(asked.publisher, asked.offer, asked.sku)
    if plan is not None and asked.deprecation is not None:
        plan.deprecations[asked.version] = asked.deprecation


async def _faults(cloud: "Cloud", _: Any) -> list[Json]:
    return cloud.faults.listing()


async def _add_fault(cloud: "Cloud", body: Any) -> None:
    cloud.faults.add(parse_fault(body))


async def _clear_faults(cloud: "Cloud", _: Any) -> None:
    cloud.faults.clear()


async def _rules(cloud: "Cloud", _: Any) -> list[Json]:
    return cloud.guest_rules.listing()


async def _add_rule(cloud: "Cloud", body: Any) -> None:
    cloud.guest_rules.add(GuestRule.model_validate(body))


async def _clear_rules(cloud: "Cloud", _: Any) -> None:
    cloud.guest_rules.clear()


async def _advance(cloud: "Cloud", body: Any) -> Json:
    cloud.scheduler.advance(timedelta(seconds=_Advance.model_validate(body).seconds))
    return {"now": cloud.clock.now().isoformat()}


async def _tick(cloud: "Cloud", _: Any) -> Json:
    cloud.scheduler.run_due()
    return {"now": cloud.clock.now().isoformat()}


async def _traffic(cloud: "Cloud", _: Any) -> list[Json]:
    return [{"operation": each.operation, **each.as_payload()} for each in cloud.traffic]


async def _clear_traffic(cloud: "Cloud", _: Any) -> None:
    cloud.traffic.clear()


async def _dump(cloud: "Cloud", body: Any) -> Json:
    return {"written": cloud.traffic.dump(Path(_Dump.model_validate(body).dir))}


async def _reset(cloud: "Cloud", _: Any) -> None:
    cloud.reset()


_TABLE: Table = {
    ("GET", ""): _summary,
    ("GET", "/resources"): _resources,
    ("GET", "/marketplace/versions"): _marketplace,
    ("POST", "/marketplace/versions"): _publish_version,
    ("GET", "/faults"): _faults,
    ("POST", "/faults"): _add_fault,
    ("DELETE", "/faults"): _clear_faults,
    ("GET", "/guest-rules"): _rules,
    ("POST", "/guest-rules"): _add_rule,
    ("DELETE", "/guest-rules"): _clear_rules,
    ("POST", "/advance"): _advance,
    ("POST", "/tick"): _tick,
    ("GET", "/traffic"): _traffic,
    ("DELETE", "/traffic"): _clear_traffic,
    ("POST", "/traffic/dump"): _dump,
    ("POST", "/scale-sets/upgrade"): scale_set_control.upgrade,
    ("POST", "/scale-sets/autoscale"): scale_set_control.scale,
    ("POST", "/reset"): _reset,
    **control_events.TABLE,
    **control_guests.TABLE,
    **control_policy.TABLE,
    **control_tenant.TABLE,
}


def add_routes(app: web.Application, cloud: "Cloud") -> None:
    """Serve every entry of the table under `/_sim`."""
    for (method, path), control in _TABLE.items():
        app.router.add_route(method, f"/_sim{path}", _handler(cloud, control))
    app.router.add_get("/_sim/", _handler(cloud, _summary))


def _handler(cloud: "Cloud", control: Control) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            text = await request.text()
            answer = await control(cloud, json.loads(text) if text else {})
        except (ValidationError, json.JSONDecodeError) as error:
            return web.json_response({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)
        except LocalCloudError as error:
            return web.json_response({"error": str(error)}, status=HTTPStatus.CONFLICT)
        return web.json_response({} if answer is None else answer)

    return handle
