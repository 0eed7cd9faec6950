"""Between the queue triggers and the steps."""

import azure.functions as func

from shared import runtime

STORAGE = "AzureWebJobsStorage"
"""Name of the connection every queue is reached by."""


async def receive(step: str, message: func.QueueMessage) -> None:
    """Deliver *message* to its step."""
    text = message.get_body().decode()
    deliveries = message.dequeue_count or 1
    await runtime.current().intake.receive_text(step, text, deliveries=deliveries)
