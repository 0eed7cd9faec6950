"""Timer triggers."""

import azure.functions as func

from shared import runtime
from shared.messages import DetectSource, Envelope
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
