"""Managed run commands of virtual machines and of the instances of Uniform scale sets."""

from copy import deepcopy
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import bad_request, conflict
from localcloud.arm.guest_commands import Outcome
from localcloud.arm.ids import compute_id, with_offset
from localcloud.arm.machine_models import RETRY_SECONDS
from localcloud.arm.machines import VERSIONS, machine_of
from localcloud.arm.operations import Family, Operation, OperationError
from localcloud.arm.requests import page, properties_of, require, tags_of
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.scale_set_instances import INSTANCE
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

RUN_COMMAND = "Microsoft.Compute/virtualMachines/runCommands"
INSTANCE_COMMAND = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommands"
_LIST = GROUP + "/providers/Microsoft.Compute/virtualMachines/{vm}/runCommands"
_ONE = _LIST + "/{command}"
_INSTANCE_LIST = (
    GROUP + "/providers/Microsoft.Compute/virtualMachineScaleSets/{set}/virtualMachines/{instance}"
    "/runCommands"
)
_INSTANCE_ONE = _INSTANCE_LIST + "/{command}"
# Azure docs, "Run scripts in your Linux VM by using managed Run Commands": only the last 4 KB.
_OUTPUT_BYTES = 4096
_SECRET_FIELDS = ("protectedParameters", "runAsPassword")


def _machine_of(cloud: "Cloud", call: Call) -> Resource:
    if "vm" in call.params:
        return machine_of(cloud, call)
    scale_set = compute_id(call.sub, call.rg, "virtualMachineScaleSets", call.params["set"])
    number = call.params["instance"]
    name = f"{call.params['set']}/{number}"
    return require(cloud, f"{scale_set}/virtualMachines/{number}", INSTANCE, name, call.rg)


def _type_of(machine: Resource) -> str:
    return INSTANCE_COMMAND if machine.type == INSTANCE else RUN_COMMAND


def _path_of(machine: Resource) -> str:
    """The machine's name, after that of its scale set where it is an instance."""
    return "/".join(machine.id.split("/")[8::2])


def _put(cloud: "Cloud", call: Call) -> Reply:
    machine = _machine_of(cloud, call)
    if machine.properties["provisioningState"] != "Succeeded":
        raise conflict(
            "OperationNotAllowed",
            f"The VM '{machine.name}' is in the provisioning state "
            f"'{machine.properties['provisioningState']}'; it takes no run command now.",
        )
    if machine.facts["power"] != "running":
        raise conflict(
            "OperationNotAllowed",
            "Cannot modify extensions in the VM when the VM is not running.",
        )
    asked = properties_of(call)
    script = (asked.get("source") or {}).get("script")
    if not isinstance(script, str):
        raise bad_request(
            "InvalidParameter", "Only properties.source.script is simulated for run commands."
        )
    target = f"{machine.id}/runCommands/{call.params['command']}"
    existing = cloud.store.get(target)
    command = cloud.store.put(_new_command(call, machine, target, asked))
    call.creates = existing is None
    operation = cloud.operations.start(
        call, Family.COMPUTE, str(machine.body["location"]), machine.id
    )
    _start(cloud, machine, command, operation)
    headers = cloud.operations.headers(call, operation, retry=RETRY_SECONDS)
    status = HTTPStatus.CREATED if existing is None else HTTPStatus.OK
    return Reply(status, _shown(command, view=False), headers)


def _new_command(call: Call, machine: Resource, target: str, asked: Json) -> Resource:
    kept = {key: value for key, value in asked.items() if key not in _SECRET_FIELDS}
    body: Json = {
        "name": call.params["command"],
        "id": target,
        "type": _type_of(machine),
        "location": machine.body["location"],
        "tags": tags_of(call),
        "properties": {
            "asyncExecution": False,
            "timeoutInSeconds": 0,
            **kept,
            "provisioningState": "Creating",
            "instanceView": {
                "executionState": "Pending",
                "exitCode": 0,
                "output": "",
                "error": "",
            },
        },
    }
    return Resource(target, _type_of(machine), body)


def _start(cloud: "Cloud", machine: Resource, command: Resource, operation: Operation) -> None:
    properties = command.properties
    fault = cloud.faults.async_failure("VirtualMachineRunCommands_CreateOrUpdate", command.id)
    failure = OperationError(fault.code, fault.message) if fault else None

    def begin() -> None:
        properties["instanceView"].update(
            executionState="Running", startTime=with_offset(cloud.clock.now())
        )
        if properties["asyncExecution"]:
            _settle(cloud, command, operation, failure)
        cloud.scheduler.after(cloud.clock.duration("run_command"), end)

    def end() -> None:
        script = str(properties["source"]["script"])
        outcome = cloud.guest_rules.run(machine.facts["guest"], command.name, script)
        _record(cloud, properties["instanceView"], outcome)
        _settle(cloud, command, operation, failure or _as_failure(properties, outcome))

    cloud.scheduler.after(cloud.clock.duration("run_command_start"), begin)


def _record(cloud: "Cloud", view: Json, outcome: Outcome) -> None:
    view.update(
        executionState="Succeeded" if outcome.exit_code == 0 else "Failed",
        exitCode=outcome.exit_code,
        output=_tail(outcome.stdout),
        error=_tail(outcome.stderr),
        endTime=with_offset(cloud.clock.now()),
    )


def _tail(text: str) -> str:
    return text.encode()[-_OUTPUT_BYTES:].decode(errors="ignore")


def _as_failure(properties: Json, outcome: Outcome) -> OperationError | None:
    if outcome.exit_code == 0 or not properties.get("treatFailureAsDeploymentFailure"):
        return None
    return OperationError(
        "VMExtensionProvisioningError", f"The script exited with code {outcome.exit_code}."
    )


def _settle(
    cloud: "Cloud", command: Resource, operation: Operation, failure: OperationError | None
) -> None:
    command.properties["provisioningState"] = "Failed" if failure else "Succeeded"
    cloud.operations.finish(operation, error=failure)


def _shown(command: Resource, *, view: bool) -> Json:
    body = deepcopy(command.body)
    if not view:
        del body["properties"]["instanceView"]
    return body


def _command(cloud: "Cloud", call: Call) -> Resource:
    machine = _machine_of(cloud, call)
    name = call.params["command"]
    return require(
        cloud,
        f"{machine.id}/runCommands/{name}",
        _type_of(machine),
        f"{_path_of(machine)}/{name}",
        call.rg,
    )


def _get(cloud: "Cloud", call: Call) -> Reply:
    return Reply(body=_shown(_command(cloud, call), view=call.expands("instanceView")))


def _list(cloud: "Cloud", call: Call) -> Reply:
    machine = _machine_of(cloud, call)
    view = call.expands("instanceView")
    commands = list(cloud.store.of_type(_type_of(machine), machine.id))
    return page(cloud, call, commands, lambda command: _shown(command, view=view))


def _delete(cloud: "Cloud", call: Call) -> Reply:
    machine = _machine_of(cloud, call)
    target = f"{machine.id}/runCommands/{call.params['command']}"
    if cloud.store.get(target) is None:
        return Reply(HTTPStatus.NO_CONTENT)

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None:
            cloud.store.delete(target)
        return failure

    operation = cloud.operations.run(
        call,
        Family.COMPUTE,
        str(machine.body["location"]),
        target,
        duration="run_command_start",
        done=done,
    )
    headers = cloud.operations.headers(call, operation, location=True, retry=RETRY_SECONDS)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


def _routes(name: str, read: str, list_path: str, one_path: str, kind: str) -> list[Route]:
    write, delete = f"{kind}/write", f"{kind}/delete"
    return [
        Route(f"{name}_CreateOrUpdate", "PUT", one_path, _put, VERSIONS, write),
        Route(f"{name}_Get{read}", "GET", one_path, _get, VERSIONS),
        Route(f"{name}_Delete", "DELETE", one_path, _delete, VERSIONS, delete),
        Route(f"{name}_List{read}", "GET", list_path, _list, VERSIONS),
    ]


ROUTES = [
    *_routes("VirtualMachineRunCommands", "ByVirtualMachine", _LIST, _ONE, RUN_COMMAND),
    *_routes(
        "VirtualMachineScaleSetVMRunCommands", "", _INSTANCE_LIST, _INSTANCE_ONE, INSTANCE_COMMAND
    ),
]
