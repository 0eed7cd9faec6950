"""Long-running operations: their status documents, their URLs and the headers that carry them."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError
from localcloud.arm.events import ResourceChange
from localcloud.arm.ids import seven_digits, with_offset
from localcloud.arm.routing import Call, Reply, Route
from localcloud.arm.store import Json

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_CAPS_VERSION = "2022-03-03"  # recorded: not the version the request was made with


class Family(Enum):
    """The four makes of operation document, plus the scans of Policy Insights."""

    IMAGE_BUILDER = "Microsoft.VirtualMachineImages/locations/{location}/operations"
    GALLERY = "Microsoft.Compute/locations/{location}/capsOperations"
    COMPUTE = "Microsoft.Compute/locations/{location}/operations"
    DISK = "Microsoft.Compute/locations/{location}/DiskOperations"
    POLICY = "Microsoft.PolicyInsights/asyncOperationResults"


@dataclass(frozen=True)
class OperationError:
    """Why an operation failed: Azure's code and message."""

    code: str
    message: str


@dataclass
class Operation:
    """One operation; `target` is the resource it works on."""

    id: str
    family: Family
    location: str
    subscription: str
    target: str
    change: ResourceChange | None
    started: datetime
    ended: datetime | None = None
    status: str = "InProgress"
    error: OperationError | None = None


class Operations:
    """Every operation ever started, by guid."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._by_id: dict[str, Operation] = {}

    def start(self, call: Call, family: Family, location: str, target: str) -> Operation:
        """Begin an operation that somebody will finish."""
        operation = Operation(
            id=self._cloud.guids.next(),
            family=family,
            location=location,
            subscription=call.sub,
            target=target,
            change=call.change(target),
            started=self._cloud.clock.now(),
        )
        call.operation_started = True
        self._by_id[operation.id] = operation
        return operation

    def run(
        self,
        call: Call,
        family: Family,
        location: str,
        target: str,
        *,
        duration: str,
        done: Callable[[OperationError | None], OperationError | None],
    ) -> Operation:
        """Begin an operation that ends by itself.

        `done` gets the failure the fault dial asks for, makes the change (or not) and says how
        the operation ended.
        """
        operation = self.start(call, family, location, target)
        fault = self._cloud.faults.async_failure(call.route.name, target)
        failure = OperationError(fault.code, fault.message) if fault else None

        def end() -> None:
            self.finish(operation, error=done(failure))

        self._cloud.scheduler.after(self._cloud.clock.duration(duration), end)
        return operation

    def finish(
        self, operation: Operation, *, error: OperationError | None = None, canceled: bool = False
    ) -> None:
        """End an operation, once, and let Event Grid know."""
        if operation.ended is not None:
            return
        operation.ended = self._cloud.clock.now()
        operation.error = error
        operation.status = "Canceled" if canceled else "Failed" if error else "Succeeded"
        if operation.change is not None:
            self._cloud.events.resource_changed(operation.change, operation.status)

    def get(self, operation_id: str) -> Operation:
        """The operation with this guid; raises ArmError (404) where there is none."""
        found = self._by_id.get(operation_id.lower())
        if found is None:
            raise ArmError(
                HTTPStatus.NOT_FOUND, "NotFound", f"The operation '{operation_id}' was not found."
            )
        return found

    def headers(
        self, call: Call, operation: Operation, *, location: bool = False, retry: int | None = None
    ) -> dict[str, str]:
        """`Azure-AsyncOperation`, with `Location` and `Retry-After` where Azure sends them."""
        url = self._url(call, operation)
        headers = {"Azure-AsyncOperation": url}
        if location:
            same = operation.family is Family.IMAGE_BUILDER
            headers["Location"] = url if same else url.replace("?", "?monitor=true&", 1)
        if retry is not None:
            headers["Retry-After"] = str(retry)
        if operation.family is Family.COMPUTE:
            headers["Azure-AsyncNotification"] = "Enabled"
        return headers

    def policy_location(self, call: Call, operation: Operation) -> dict[str, str]:
        """The only header a policy scan answers with."""
        token = base64.b64encode(json.dumps({"id": operation.id}).encode()).decode().rstrip("=")
        return {
            "Location": f"{call.base_url}/subscriptions/{operation.subscription}/providers/"
            f"{operation.family.value}/{token}?api-version={call.api_version}"
        }

    def _url(self, call: Call, operation: Operation) -> str:
        path = operation.family.value.format(location=operation.location)
        version = _CAPS_VERSION if operation.family is Family.GALLERY else call.api_version
        named = operation.family in {Family.COMPUTE, Family.DISK}
        prefix = f"p={operation.subscription}&" if named else ""
        return (
            f"{call.base_url}/subscriptions/{operation.subscription}/providers/{path}/"
            f"{operation.id}?{prefix}api-version={version}{self._cloud.url_signature()}"
        )


def _document(operation: Operation) -> Json:
    builder = operation.family is Family.IMAGE_BUILDER
    form = seven_digits if builder else with_offset
    name = operation.id.upper() if builder else operation.id
    times = {"startTime": form(operation.started)}
    if operation.ended is not None:
        times["endTime"] = form(operation.ended)
    rest: Json = {"status": operation.status}
    if operation.error is not None:
        rest["error"] = {"code": operation.error.code, "message": operation.error.message}
    if builder:
        return {"name": name, **rest, **times}
    return {**times, **rest, "name": name}


def _get(cloud: "Cloud", call: Call) -> Reply:
    operation = cloud.operations.get(call.params["operation"])
    running = operation.ended is None
    if call.query.get("monitor") == "true":
        if running:
            return Reply(HTTPStatus.ACCEPTED)
        # Disks are the one kind whose Location ends in the resource itself.
        made = cloud.store.get(operation.target) if operation.family is Family.DISK else None
        return Reply(body=made.body if made is not None else None)
    # Recorded: only the status of image version writes and deletes asks for a minute's patience.
    slow = operation.family is Family.GALLERY and "/versions/" in operation.target
    headers = {"Retry-After": "60"} if running and slow else {}
    return Reply(body=_document(operation), headers=headers)


def _get_scan(cloud: "Cloud", call: Call) -> Reply:
    token = call.params["operation"]
    padded = token + "=" * (-len(token) % 4)
    operation = cloud.operations.get(str(json.loads(base64.b64decode(padded))["id"]))
    if operation.ended is None:
        return Reply(HTTPStatus.ACCEPTED, headers=cloud.operations.policy_location(call, operation))
    return Reply(body={"status": operation.status})


def routes(families: dict[Family, frozenset[str]]) -> list[Route]:
    """The status routes, with the api-versions each family's provider takes."""
    base = "/subscriptions/{sub}/providers/"
    return [
        Route(
            name="Policy_ScanStatus" if family is Family.POLICY else "Operations_Get",
            method="GET",
            path=f"{base}{family.value}/{{operation}}",
            handler=_get_scan if family is Family.POLICY else _get,
            versions=versions | ({_CAPS_VERSION} if family is Family.GALLERY else set()),
        )
        for family, versions in families.items()
    ]
