"""Poison queues: what the host gave up on is parked for an operator, one function per queue.

They differ in nothing but the queue, so they are made from the table of steps.
"""

from collections.abc import Awaitable, Callable

import azure.functions as func

from shared import runtime
from shared.workflow import STEPS, Step

bp = func.Blueprint()


def _handler(step: Step) -> Callable[[func.QueueMessage], Awaitable[None]]:
    async def handle_poison(message: func.QueueMessage) -> None:
        text = message.get_body().decode()
        await runtime.current().intake.receive_poison(step.name, text)

    handle_poison.__doc__ = f"Park a message of {step.poison_queue}."
    return handle_poison


for _step in STEPS:
    _trigger = bp.queue_trigger(
        arg_name="message", queue_name=_step.poison_queue, connection="AzureWebJobsStorage"
    )
    bp.function_name(f"park_{_step.name}")(_trigger(_handler(_step)))
