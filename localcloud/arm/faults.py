"""The fault dial: what goes wrong, how often, and for how long."""

import random
import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from localcloud.arm.clock import Clock


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    times: int | None = Field(default=None, ge=0, description="how often; None: until cleared")
    for_seconds: float | None = Field(
        default=None, gt=0, description="seconds of Azure's time it lasts"
    )


class HttpFault(_Fault):
    """A request is answered wrongly; with `commit`, only after it was carried out."""

    kind: Literal["http"] = "http"
    operation: str = ".*"
    method: str = ".*"
    path: str = ".*"
    status: int | None = Field(default=None, ge=400, le=599)
    code: str = "InternalServerError"
    message: str = "Encountered internal server error."
    retry_after: int | None = None
    delay_seconds: float = Field(default=0, ge=0, description="real seconds before the answer")
    commit: bool = False


class AsyncFault(_Fault):
    """A long-running operation ends in failure."""

    kind: Literal["async"] = "async"
    operation: str = ".*"
    path: str = ".*"
    code: str = "InternalOperationError"
    message: str = "Internal error occurred."


class RunFault(_Fault):
    """An image build ends as told.

    `distributed`: the image version is there although the run failed.
    `replicating`: it is too, but still replicating, and the run tells of no output.
    `canceled`: somebody cancels it in `phase`.
    `stuck_canceling`: once canceled, it never ends.
    """

    kind: Literal["run"] = "run"
    template: str = ".*"
    run_state: Literal["Succeeded", "PartiallySucceeded", "Failed"] = "Failed"
    message: str = "Packer build command has failed: exit status 1."
    phase: Literal["Building", "Customizing", "Optimizing", "Validating", "Distributing"] = (
        "Customizing"
    )
    distributed: bool = False
    replicating: bool = False
    canceled: bool = False
    stuck_canceling: bool = False


class EventFault(_Fault):
    """An event is sent twice, late, out of order or not at all."""

    kind: Literal["event"] = "event"
    type: str = ".*"
    subject: str = ".*"
    effect: Literal["duplicate", "delay", "reorder", "drop"]
    probability: float = Field(default=1.0, gt=0, le=1)
    delay_seconds: float = Field(default=60, ge=0, description="seconds of Azure's time")


type Fault = HttpFault | AsyncFault | RunFault | EventFault
_ADAPTER: TypeAdapter[Fault] = TypeAdapter(Annotated[Fault, Field(discriminator="kind")])


def parse_fault(document: object) -> Fault:
    """A fault from JSON; raises pydantic.ValidationError for anything that is not one."""
    return _ADAPTER.validate_python(document)


class FaultBook:
    """The faults in force. The first that matches is taken."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - reproducible faults, not secrets
        self._entries: list[tuple[Fault, datetime | None]] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        until = None
        if fault.for_seconds is not None:
            until = self._clock.now() + self._clock.span(fault.for_seconds)
        self._entries.append((fault.model_copy(), until))

    def clear(self) -> None:
        """Take all faults out of force."""
        self._entries.clear()

    def listing(self) -> list[dict[str, object]]:
        """The faults in force, as JSON."""
        return [fault.model_dump() for fault in self._alive()]

    def http(self, method: str, operation: str, path: str) -> HttpFault | None:
        """The fault for this request, counted as used."""
        for fault in self._alive():
            if isinstance(fault, HttpFault) and (
                _found(fault.method, method)
                and _found(fault.operation, operation)
                and _found(fault.path, path)
            ):
                return _used(fault)
        return None

    def async_failure(self, operation: str, path: str) -> AsyncFault | None:
        """The fault for this long-running operation, counted as used."""
        for fault in self._alive():
            if isinstance(fault, AsyncFault) and (
                _found(fault.operation, operation) and _found(fault.path, path)
            ):
                return _used(fault)
        return None

    def run(self, template: str) -> RunFault | None:
        """The fault for a run of this template, counted as used."""
        for fault in self._alive():
            if isinstance(fault, RunFault) and _found(fault.template, template):
                return _used(fault)
        return None

    def event(self, event_type: str, subject: str) -> EventFault | None:
        """The fault for one delivery of an event, counted as used."""
        for fault in self._alive():
            if (
                isinstance(fault, EventFault)
                and _found(fault.type, event_type)
                and _found(fault.subject, subject)
                and self._random.random() < fault.probability
            ):
                return _used(fault)
        return None

    def _alive(self) -> list[Fault]:
        now = self._clock.now()
        self._entries = [
            (fault, until)
            for fault, until in self._entries
            if fault.times != 0 and (until is None or now < until)
        ]
        return [fault for fault, _ in self._entries]


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def _used[F: (HttpFault, AsyncFault, RunFault, EventFault)](fault: F) -> F:
    if fault.times is not None:
        fault.times -= 1
    return fault
