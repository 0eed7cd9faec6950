"""The control surface under `/_sim/`: JSON in, JSON out, for loopback only."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web
from azure.storage.queue.aio import QueueClient
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from localcloud.arm import scale_set_control
from localcloud.arm.faults import parse_fault
from localcloud.arm.guest_commands import GuestRule
from localcloud.arm.policy import PolicyState
from localcloud.arm.store import Json
from localcloud.arm.subscriptions import EventSubscription, QueueSink
from localcloud.errors import LocalCloudError

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

type Control = Callable[["Cloud", Any], Awaitable[Any]]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Version(_Body):
    publisher: str
    offer: str
    sku: str
    version: str
    deprecation: Json | None = None


class _Advance(_Body):
    seconds: float = Field(ge=0)


class _Dump(_Body):
    dir: str


class _Queue(_Body):
    connection_string: str
    name: str
    base64: bool = False


class _Subscribe(_Body):
    name: str
    source: Literal["resources", "policy", "topic"]
    endpoint_url: str | None = None
    queue: _Queue | None = None
    event_schema: Literal["eventgrid", "cloudevents"] = Field(default="eventgrid", alias="schema")
    event_types: list[str] = []
    operation_names: list[str] = []
    subject_begins_with: str = ""
    max_attempts: int = Field(default=30, ge=1, le=30)


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


async def _policy_states(cloud: "Cloud", _: Any) -> list[Json]:
    return cloud.policy_states.under("")


async def _put_state(cloud: "Cloud", body: Any) -> None:
    cloud.policy_states.put(PolicyState.model_validate(body))


async def _delete_state(cloud: "Cloud", body: Any) -> None:
    cloud.policy_states.delete(PolicyState.model_validate({"state": "", **body}))


async def _traffic(cloud: "Cloud", _: Any) -> list[Json]:
    return [{"operation": each.operation, **each.as_payload()} for each in cloud.traffic]


async def _clear_traffic(cloud: "Cloud", _: Any) -> None:
    cloud.traffic.clear()


async def _dump(cloud: "Cloud", body: Any) -> Json:
    return {"written": cloud.traffic.dump(Path(_Dump.model_validate(body).dir))}


async def _events(cloud: "Cloud", _: Any) -> list[Json]:
    return [event.as_cloud_event() for event in cloud.events.log]


async def _dead_letters(cloud: "Cloud", _: Any) -> list[Json]:
    return [asdict(letter) for letter in cloud.events.dead_letters]


async def _subscriptions(cloud: "Cloud", _: Any) -> list[Json]:
    return [subscription.describe() for subscription in cloud.events.subscriptions]


async def _subscribe(cloud: "Cloud", body: Any) -> None:
    asked = _Subscribe.model_validate(body)
    sink = None
    if asked.queue is not None:
        client = QueueClient.from_connection_string(asked.queue.connection_string, asked.queue.name)
        sink = QueueSink(client, base64=asked.queue.base64)
    await cloud.events.subscribe(
        EventSubscription(
            name=asked.name,
            source=asked.source,
            endpoint_url=asked.endpoint_url,
            queue=sink,
            schema=asked.event_schema,
            event_types=frozenset(asked.event_types),
            operation_names=frozenset(asked.operation_names),
            subject_begins_with=asked.subject_begins_with,
            max_attempts=asked.max_attempts,
        )
    )


async def _unsubscribe_all(cloud: "Cloud", _: Any) -> None:
    for subscription in cloud.events.subscriptions:
        await cloud.events.unsubscribe(subscription.name)


async def _reset(cloud: "Cloud", _: Any) -> None:
    cloud.reset()


_TABLE: dict[tuple[str, str], Control] = {
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
    ("GET", "/policy-states"): _policy_states,
    ("POST", "/policy-states"): _put_state,
    ("DELETE", "/policy-states"): _delete_state,
    ("GET", "/traffic"): _traffic,
    ("DELETE", "/traffic"): _clear_traffic,
    ("POST", "/traffic/dump"): _dump,
    ("GET", "/events"): _events,
    ("GET", "/dead-letters"): _dead_letters,
    ("GET", "/subscriptions"): _subscriptions,
    ("POST", "/subscriptions"): _subscribe,
    ("DELETE", "/subscriptions"): _unsubscribe_all,
    ("POST", "/scale-sets/upgrade"): scale_set_control.upgrade,
    ("POST", "/scale-sets/autoscale"): scale_set_control.scale,
    ("POST", "/reset"): _reset,
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
