"""Azure Image Builder: one run of a template, phase by phase."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError
from localcloud.arm.faults import RunFault
from localcloud.arm.ids import NO_TIME, nine_digits
from localcloud.arm.image_builder_outputs import OUTPUT_TYPE, distribute, distribute_late
from localcloud.arm.operations import Operation, OperationError
from localcloud.arm.staging import open_account, write_logs
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


_DURATIONS = {
    "Queued": "run_queued",
    "Building": "run_building",
    "Customizing": "run_customizing",
    "Optimizing": "run_optimizing",
    "Validating": "run_validating",
    "Distributing": "run_distributing",
}


@dataclass
class Run:
    """One run; a template remembers only its last."""

    template: Resource
    operation: Operation
    started: datetime
    phases: list[str]
    fault: RunFault | None
    state: str = "Running"
    message: str = ""
    ended: datetime | None = None

    @property
    def active(self) -> bool:
        """True until the run has ended."""
        return self.ended is None

    def status(self) -> Json:
        """`lastRunStatus`, with Azure's year 1 for an end that has not come."""
        status: Json = {
            "startTime": nine_digits(self.started),
            "endTime": nine_digits(self.ended) if self.ended else NO_TIME,
            "runState": self.state,
        }
        if self.state == "Running":
            status["runSubState"] = self.phases[0]
        return {**status, "message": self.message}


def run_of(template: Resource) -> Run | None:
    """The template's last run, or None."""
    found = template.facts.get("run")
    return found if isinstance(found, Run) else None


def start_run(cloud: "Cloud", template: Resource, operation: Operation) -> None:
    """Begin a run; the one before it is forgotten."""
    for output in list(cloud.store.of_type(OUTPUT_TYPE, template.id)):
        cloud.store.delete(output.id)
    run = Run(
        template=template,
        operation=operation,
        started=cloud.clock.now(),
        phases=_phases(template),
        fault=cloud.faults.run(template.id),
    )
    template.facts["run"] = run
    open_account(cloud, template)
    _enter(cloud, run)


def cancel_run(cloud: "Cloud", run: Run) -> None:
    """Ask a run to stop; unless the fault dial keeps it canceling for ever, it will."""
    if run.state == "Canceling":
        return
    run.state, run.message = "Canceling", "Canceling image build"
    if run.fault is not None and run.fault.stuck_canceling:
        return

    def end() -> None:
        _end(cloud, run, "Canceled", "Build is canceled after context cancellation")

    cloud.scheduler.after(cloud.clock.duration("run_canceling"), end)


def _phases(template: Resource) -> list[str]:
    properties = template.properties
    optimize = (properties.get("optimize") or {}).get("vmBoot") or {}
    validate = (properties.get("validate") or {}).get("inVMValidations")
    return [
        "Queued",
        "Building",
        "Customizing",
        *(["Optimizing"] if optimize.get("state") == "Enabled" else []),
        *(["Validating"] if validate else []),
        "Distributing",
    ]


def _enter(cloud: "Cloud", run: Run) -> None:
    phase = run.phases[0]

    def leave() -> None:
        if run.state != "Running":
            return
        if run.fault is not None and run.fault.canceled and phase == run.fault.phase:
            cancel_run(cloud, run)
        elif _stops_in(run, phase):
            fault = run.fault
            _end(cloud, run, "Failed", fault.message if fault else "")
        elif phase == "Distributing":
            _finish(cloud, run)
        else:
            run.phases.pop(0)
            _enter(cloud, run)

    cloud.scheduler.after(cloud.clock.duration(_DURATIONS[phase]), leave)


def _stops_in(run: Run, phase: str) -> bool:
    fault = run.fault
    if fault is None or fault.run_state != "Failed" or fault.replicating:
        return False
    if _distributes_anyway(run, fault):
        return False
    return phase == fault.phase or run.phases == ["Distributing"]


def _distributes_anyway(run: Run, fault: RunFault) -> bool:
    # Azure docs: with continueDistributeOnFailure the image is there, the run still failed.
    validate = run.template.properties.get("validate") or {}
    goes_on = bool(validate.get("continueDistributeOnFailure"))
    return fault.distributed or (fault.phase == "Validating" and goes_on)


def _finish(cloud: "Cloud", run: Run) -> None:
    late = run.fault is not None and run.fault.replicating
    try:
        (distribute_late if late else distribute)(cloud, run.template)
    except ArmError as refusal:
        _end(cloud, run, "Failed", f"{refusal.code}: {refusal.message}")
        return
    fault = run.fault
    if fault is None or fault.run_state == "Succeeded":
        _end(cloud, run, "Succeeded", "")
    else:
        _end(cloud, run, fault.run_state, fault.message)


def _end(cloud: "Cloud", run: Run, state: str, message: str) -> None:
    if run.ended is not None:
        return
    run.state, run.message, run.ended = state, message, cloud.clock.now()
    write_logs(cloud, run.template, state, message)
    failed = state == "Failed"
    cloud.operations.finish(
        run.operation,
        error=OperationError("InternalOperationError", message) if failed else None,
        canceled=state == "Canceled",
    )
