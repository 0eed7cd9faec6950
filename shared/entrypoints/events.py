"""Event Grid triggers: parse, drop what is not ours, enqueue.

One function per topic, so that each has its own subscription, filter and dead letters. Both
schemas arrive at the same function: the worker hands out the class the event's own shape calls for.
"""

from typing import Any

import azure.functions as func

from shared import runtime

bp = func.Blueprint()


@bp.function_name("receive_resource_event")
@bp.event_grid_trigger(arg_name="event")
async def receive_resource_event(event: func.EventGridEvent) -> None:
    """Take an event of Azure Resource Manager: VMs, scale sets, gallery versions, template runs."""
    await _receive("receive_resource_event", event)


@bp.function_name("receive_policy_event")
@bp.event_grid_trigger(arg_name="event")
async def receive_policy_event(event: func.EventGridEvent) -> None:
    """Take an event of Azure Policy: a policy state was created, changed or deleted."""
    await _receive("receive_policy_event", event)


@bp.function_name("receive_assay_event")
@bp.event_grid_trigger(arg_name="event")
async def receive_assay_event(event: func.EventGridEvent) -> None:
    """Take an event of our own topic: a source version was published, by us or by anyone."""
    await _receive("receive_assay_event", event)


async def _receive(source: str, event: func.EventGridEvent | func.CloudEvent) -> None:
    await runtime.current().intake.receive_event(source, payload_of(event))


def payload_of(event: func.EventGridEvent | func.CloudEvent) -> dict[str, Any]:
    """Return the event as the JSON object it arrived as, in its own schema."""
    if isinstance(event, func.CloudEvent):
        return {
            "specversion": event.specversion,
            "type": event.type,
            "source": event.source,
            "subject": event.subject,
            "id": event.id,
            "time": event.time.isoformat() if event.time else None,
            "data": event.get_json(),
        }
    return {
        "topic": event.topic,
        "subject": event.subject,
        "eventType": event.event_type,
        "id": event.id,
        "eventTime": event.event_time.isoformat() if event.event_time else None,
        "data": event.get_json(),
        "dataVersion": event.data_version,
    }
