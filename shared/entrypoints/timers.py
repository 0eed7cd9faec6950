"""Timer triggers."""

import azure.functions as func

from shared import runtime
from shared.messages import (
    Command,
    DetectSource,
    Envelope,
    FindOldHistory,
    PromoteImage,
    RetireImages,
    SweepFleet,
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


@bp.function_name("look_after_history")
@bp.timer_trigger(arg_name="timer", schedule="%ASSAY_HISTORY_SCHEDULE%")
async def look_after_history(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Ask for a walk through the register, for histories that are too long."""
    envelope = Envelope(command=FindOldHistory(), correlation_id=new_correlation_id())
    await runtime.current().dispatcher.enqueue(envelope)
