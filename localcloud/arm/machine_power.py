"""Virtual machines: starting, stopping and generalizing them."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError, conflict
from localcloud.arm.machine_disks import follow_power
from localcloud.arm.machine_models import RETRY_SECONDS
from localcloud.arm.machines import MACHINE, ONE, VERSIONS, machine_of
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.routing import Call, Reply, Route
from localcloud.arm.store import Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_STATES = {"deallocate": "deallocated", "poweroff": "stopped"}


def _power(cloud: "Cloud", call: Call) -> Reply:
    machine = machine_of(cloud, call)
    verb = call.path.rsplit("/", 1)[-1].lower()
    wanted = _STATES.get(verb, "running")
    if wanted == "running":
        _refuse_generalized(machine, verb)

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None:
            machine.facts["power"] = wanted
            follow_power(cloud, machine)
        return failure

    location = str(machine.body["location"])
    operation = cloud.operations.run(
        call, Family.COMPUTE, location, machine.id, duration="vm_action", done=done
    )
    headers = cloud.operations.headers(call, operation, location=True, retry=RETRY_SECONDS)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


def _refuse_generalized(machine: Resource, verb: str) -> None:
    if machine.facts.get("generalized"):
        raise _not_allowed(machine, verb, "generalized")


def _generalize(cloud: "Cloud", call: Call) -> Reply:
    machine = machine_of(cloud, call)
    if machine.facts["power"] == "running":
        raise _not_allowed(machine, "generalize", "running")
    machine.facts["generalized"] = True
    return Reply()


def _not_allowed(machine: Resource, verb: str, state: str) -> ArmError:
    return conflict(
        "OperationNotAllowed",
        f"Operation '{verb}' is not allowed on VM '{machine.name}' since the VM is {state}.",
    )


def _route(verb: str) -> Route:
    name = f"VirtualMachines_{verb[0].upper()}{verb[1:]}"
    handler = _generalize if verb == "generalize" else _power
    return Route(name, "POST", f"{ONE}/{verb}", handler, VERSIONS, f"{MACHINE}/{verb}/action")


ROUTES = [_route(verb) for verb in ("start", "restart", "powerOff", "deallocate", "generalize")]
