"""Controls of the tenant: its subscriptions, and what Resource Graph limits."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from localcloud.arm.control_table import Body, Table
from localcloud.arm.store import Json
from localcloud.arm.tenant import ManagementGroup

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


class _Subscription(Body):
    subscription: str
    hidden: bool | None = None
    management_groups: list[ManagementGroup] | None = None


class _Limits(Body):
    queries: int = Field(ge=0)


async def _subscriptions(cloud: "Cloud", _: Any) -> list[Json]:
    return cloud.tenant.listing()


async def _change_subscription(cloud: "Cloud", body: Any) -> None:
    asked = _Subscription.model_validate(body)
    if asked.hidden is not None:
        change = cloud.tenant.hide if asked.hidden else cloud.tenant.show
        change(asked.subscription)
    if asked.management_groups is not None:
        cloud.tenant.place(asked.subscription, asked.management_groups)


async def _limits(cloud: "Cloud", _: Any) -> Json:
    return {"queries": cloud.graph.queries}


async def _set_limits(cloud: "Cloud", body: Any) -> None:
    cloud.graph.queries = _Limits.model_validate(body).queries


async def _expire_tokens(cloud: "Cloud", _: Any) -> None:
    cloud.graph.expire_tokens()


TABLE: Table = {
    ("GET", "/tenant/subscriptions"): _subscriptions,
    ("POST", "/tenant/subscriptions"): _change_subscription,
    ("GET", "/graph"): _limits,
    ("POST", "/graph"): _set_limits,
    ("POST", "/graph/expire-tokens"): _expire_tokens,
}
