"""Azure Image Builder: image templates."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError, bad_request, conflict
from localcloud.arm.ids import template_id
from localcloud.arm.image_builder_outputs import OUTPUT_TYPE
from localcloud.arm.image_builder_runs import cancel_run, run_of, start_run
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.regions import require_region
from localcloud.arm.requests import body_of, page, require, scope_of, tags_of
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.staging import close_account
from localcloud.arm.store import Json, Resource
from localcloud.arm.template_fields import check_patch, check_template, validation_failed
from localcloud.arm.template_models import (
    TEMPLATE,
    distributors,
    end_creation,
    identities,
    new_body,
    vm_profile,
)

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2022-07-01", "2023-07-01", "2024-02-01", "2025-10-01"})
_ALL = "/subscriptions/{sub}/providers/Microsoft.VirtualMachineImages/imageTemplates"
_LIST = GROUP + "/providers/Microsoft.VirtualMachineImages/imageTemplates"
_ONE = _LIST + "/{template}"
_OUTPUTS = _ONE + "/runOutputs"


def _template(cloud: "Cloud", call: Call) -> Resource:
    name = call.params["template"]
    return require(cloud, template_id(call.sub, call.rg, name), TEMPLATE, name, call.rg)


def _put(cloud: "Cloud", call: Call) -> Reply:
    target = template_id(call.sub, call.rg, call.params["template"])
    if cloud.store.get(target) is not None:
        raise conflict("Conflict", "Update/Upgrade of image templates is currently not supported.")
    check_template(call.body)
    location = require_region(call.body.get("location"))
    body = new_body(call, target, location)
    call.creates = True
    asked = call.body["properties"]["distribute"]
    schemes = {each["runOutputName"]: each.get("versioning") for each in asked}
    template = cloud.store.put(Resource(target, TEMPLATE, body, facts={"versioning": schemes}))

    def done(failure: OperationError | None) -> OperationError | None:
        return end_creation(cloud, template, failure)

    operation = cloud.operations.run(
        call, Family.IMAGE_BUILDER, location, target, duration="template_create", done=done
    )
    return Reply(HTTPStatus.CREATED, body, cloud.operations.headers(call, operation))


def _get(cloud: "Cloud", call: Call) -> Reply:
    template = _template(cloud, call)
    return Reply(body=_shown(template))


def _shown(template: Resource) -> Json:
    run = run_of(template)
    if run is None:
        return template.body
    properties = dict(template.properties)
    order = ["source", "customize", "optimize", "validate", "distribute", "errorHandling"]
    order += ["provisioningState", "provisioningError"]
    head = {key: properties.pop(key) for key in order if key in properties}
    return {
        **template.body,
        "properties": {**head, "lastRunStatus": run.status(), **properties},
    }


def _list(cloud: "Cloud", call: Call) -> Reply:
    return page(cloud, call, list(cloud.store.of_type(TEMPLATE, scope_of(call))), _shown)


def _patch(cloud: "Cloud", call: Call) -> Reply:
    template = _template(cloud, call)
    _refuse_while_busy(template, "update")
    check_patch(call.body)
    if "identity" in call.body:
        identity = identities(call.body["identity"], filled=True, guids=cloud.guids)
        template.body["identity"] = identity
    if "tags" in call.body:
        template.body["tags"] = tags_of(call)
    asked = call.body.get("properties") or {}
    if "distribute" in asked:
        kept = {d["runOutputName"] for d in asked["distribute"]}
        if any(d["runOutputName"] not in kept for d in template.properties["distribute"]):
            raise validation_failed("Deleting a distribution target is not allowed.")
        template.properties["distribute"] = distributors(asked["distribute"])
        template.facts["versioning"].update(
            {each["runOutputName"]: each.get("versioning") for each in asked["distribute"]}
        )
    if "vmProfile" in asked:
        template.properties["vmProfile"] = vm_profile(asked["vmProfile"])
    return _change(cloud, call, template, "Updating", "template_update")


def _change(cloud: "Cloud", call: Call, template: Resource, state: str, duration: str) -> Reply:
    template.properties["provisioningState"] = state

    def done(failure: OperationError | None) -> OperationError | None:
        if state == "Deleting" and failure is None:
            cloud.store.delete(template.id)
            close_account(cloud, template)
        template.properties["provisioningState"] = "Failed" if failure else "Succeeded"
        return failure

    location = str(template.body["location"])
    operation = cloud.operations.run(
        call, Family.IMAGE_BUILDER, location, template.id, duration=duration, done=done
    )
    headers = cloud.operations.headers(call, operation, location=True)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


def _delete(cloud: "Cloud", call: Call) -> Reply:
    target = template_id(call.sub, call.rg, call.params["template"])
    template = cloud.store.get(target)
    if template is None:
        return Reply(HTTPStatus.NO_CONTENT)
    _refuse_while_busy(template, "delete")
    return _change(cloud, call, template, "Deleting", "template_delete")


def _refuse_while_busy(template: Resource, operation: str) -> None:
    run = run_of(template)
    if run is not None and run.active:
        raise _not_allowed(operation, run.state.lower())
    state = str(template.properties["provisioningState"])
    if state in {"Creating", "Updating", "Deleting"}:
        raise _not_allowed(operation, state.lower())


def _not_allowed(operation: str, state: str) -> ArmError:
    return conflict(
        "OperationNotAllowed",
        f"The operation '{operation}' is not allowed in provisioning state '{state}'.",
    )


def _run(cloud: "Cloud", call: Call) -> Reply:
    template = _template(cloud, call)
    _refuse_while_busy(template, "run")
    state = str(template.properties["provisioningState"])
    if state != "Succeeded":
        raise _not_allowed("run", state.lower())
    if any(
        (each or {}).get("scheme") == "Source" for each in template.facts["versioning"].values()
    ):
        raise validation_failed("a run with versioning by Source is not simulated.")
    operation = cloud.operations.start(
        call, Family.IMAGE_BUILDER, str(template.body["location"]), template.id
    )
    start_run(cloud, template, operation)
    headers = cloud.operations.headers(call, operation, location=True)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


def _cancel(cloud: "Cloud", call: Call) -> Reply:
    template = _template(cloud, call)
    run = run_of(template)
    if run is None or not run.active:
        raise bad_request("OperationNotAllowed", "There is no running image build to cancel.")
    cancel_run(cloud, run)
    return Reply(HTTPStatus.NO_CONTENT)


def _outputs(cloud: "Cloud", call: Call) -> Reply:
    template = _template(cloud, call)
    return page(cloud, call, list(cloud.store.of_type(OUTPUT_TYPE, template.id)), body_of)


def _output(cloud: "Cloud", call: Call) -> Reply:
    template = _template(cloud, call)
    name = call.params["output"]
    found = require(
        cloud,
        f"{template.id}/runOutputs/{name}",
        OUTPUT_TYPE,
        f"{template.name}/{name}",
        call.rg,
    )
    return Reply(body=found.body)


_PREFIX = "Microsoft.VirtualMachineImages/imageTemplates"
ROUTES = [
    Route(
        "VirtualMachineImageTemplates_CreateOrUpdate",
        "PUT",
        _ONE,
        _put,
        VERSIONS,
        f"{_PREFIX}/write",
    ),
    Route(
        "VirtualMachineImageTemplates_Update", "PATCH", _ONE, _patch, VERSIONS, f"{_PREFIX}/write"
    ),
    Route("VirtualMachineImageTemplates_Get", "GET", _ONE, _get, VERSIONS),
    Route(
        "VirtualMachineImageTemplates_Delete",
        "DELETE",
        _ONE,
        _delete,
        VERSIONS,
        f"{_PREFIX}/delete",
    ),
    Route("VirtualMachineImageTemplates_List", "GET", _ALL, _list, VERSIONS),
    Route("VirtualMachineImageTemplates_ListByResourceGroup", "GET", _LIST, _list, VERSIONS),
    Route(
        "VirtualMachineImageTemplates_Run",
        "POST",
        _ONE + "/run",
        _run,
        VERSIONS,
        f"{_PREFIX}/run/action",
    ),
    Route(
        "VirtualMachineImageTemplates_Cancel",
        "POST",
        _ONE + "/cancel",
        _cancel,
        VERSIONS,
        f"{_PREFIX}/cancel/action",
    ),
    Route("VirtualMachineImageTemplates_ListRunOutputs", "GET", _OUTPUTS, _outputs, VERSIONS),
    Route(
        "VirtualMachineImageTemplates_GetRunOutput",
        "GET",
        _OUTPUTS + "/{output}",
        _output,
        VERSIONS,
    ),
]
