"""Controls of policy: what evaluations and the agents of machine configuration found."""

from typing import TYPE_CHECKING, Any

from localcloud.arm.control_table import Body, Table
from localcloud.arm.guest_configuration import GuestAssignment
from localcloud.arm.policy import PolicyState
from localcloud.arm.store import Json

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


class _StateOrder(PolicyState):
    silent: bool = False


class _AssignmentName(Body):
    resource_id: str
    name: str


async def _policy_states(cloud: "Cloud", _: Any) -> list[Json]:
    return cloud.policy_states.under("")


async def _put_state(cloud: "Cloud", body: Any) -> None:
    order = _StateOrder.model_validate(body)
    cloud.policy_states.put(order, silent=order.silent)


async def _delete_state(cloud: "Cloud", body: Any) -> None:
    order = _StateOrder.model_validate({"state": "", **body})
    cloud.policy_states.delete(order, silent=order.silent)


async def _assignments(cloud: "Cloud", _: Any) -> list[Json]:
    return cloud.guest_configuration.listing()


async def _put_assignment(cloud: "Cloud", body: Any) -> Json:
    return {"id": cloud.guest_configuration.put(GuestAssignment.model_validate(body))}


async def _delete_assignment(cloud: "Cloud", body: Any) -> None:
    named = _AssignmentName.model_validate(body)
    cloud.guest_configuration.delete(named.resource_id, named.name)


TABLE: Table = {
    ("GET", "/policy-states"): _policy_states,
    ("POST", "/policy-states"): _put_state,
    ("DELETE", "/policy-states"): _delete_state,
    ("GET", "/guest-assignments"): _assignments,
    ("POST", "/guest-assignments"): _put_assignment,
    ("DELETE", "/guest-assignments"): _delete_assignment,
}
