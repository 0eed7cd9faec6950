"""Timer triggers."""

import azure.functions as func

from shared import runtime
from shared.messages import (
    Command,
    DetectSource,
    Envelope,
    FindOldHistory,
    PromoteImage,
    RemoveExports,
    RetireImages,
    SweepFleet,
    SweepPolicy,
    TakeSnapshot,
    WatchGallery,
)
from shared.telemetry import new_correlation_id

bp = func.Blueprint()


@bp.function_name("look_for_sources")
@bp.timer_trigger(arg_name="timer", schedule="%ASSAY_DETECT_SCHEDULE%")
async def look_for_sources(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Ask for a look at the source of every image definition."""
    app = runtime.current()
    for name in app.definitions:
        envelope = Envelope(
            command=DetectSource(definition=name), correlation_id=new_correlation_id()
        )
        await app.dispatcher.enqueue(envelope)


@bp.function_name("look_after_images")
@bp.timer_trigger(arg_name="timer", schedule="%ASSAY_CARE_SCHEDULE%")
async def look_after_images(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Ask for a look at the channels, the retention and the limits of every image.

    Looks that are due come by messages of their own; this makes up for those that were lost.
    """
    app = runtime.current()
    looks: list[Command] = [WatchGallery()]
    for name in app.definitions:
        looks += [PromoteImage(definition=name), RetireImages(definition=name)]
    for look in looks:
        envelope = Envelope(command=look, correlation_id=new_correlation_id())
        await app.dispatcher.enqueue(envelope)


@bp.function_name("look_at_fleet")
@bp.timer_trigger(arg_name="timer", schedule="%ASSAY_SWEEP_SCHEDULE%")
async def look_at_fleet(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Ask for a sweep of the fleet, to find what no event told.

    It is named by the minute: a timer that fires twice asks for one sweep.
    """
    app = runtime.current()
    command = SweepFleet(sweep_id=f"{app.now():%Y%m%dt%H%Mz}")
    envelope = Envelope(command=command, correlation_id=new_correlation_id())
    await app.dispatcher.enqueue(envelope)


@bp.function_name("look_at_numbers")
@bp.timer_trigger(arg_name="timer", schedule="%ASSAY_SNAPSHOT_SCHEDULE%")
async def look_at_numbers(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Ask for the snapshot of this hour, and for old exports to be removed."""
    app = runtime.current()
    hour = app.now().replace(minute=0, second=0, microsecond=0)
    looks: list[Command] = [TakeSnapshot(at=hour), RemoveExports()]
    for look in looks:
        envelope = Envelope(command=look, correlation_id=new_correlation_id())
        await app.dispatcher.enqueue(envelope)


@bp.function_name("look_at_policy")
@bp.timer_trigger(arg_name="timer", schedule="%ASSAY_POLICY_SCHEDULE%")
async def look_at_policy(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Ask for a look at the policy states of every subscription: events may have been lost."""
    app = runtime.current()
    envelope = Envelope(
        command=SweepPolicy(began_at=app.now()), correlation_id=new_correlation_id()
    )
    await app.dispatcher.enqueue(envelope)


@bp.function_name("look_after_history")
@bp.timer_trigger(arg_name="timer", schedule="%ASSAY_HISTORY_SCHEDULE%")
async def look_after_history(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Ask for a walk through the register, for histories that are too long."""
    envelope = Envelope(command=FindOldHistory(), correlation_id=new_correlation_id())
    await runtime.current().dispatcher.enqueue(envelope)
