"""Parked messages as the API answers them."""

from shared.ports import ParkedMessage
from shared.web.exchange import Json, Links
from shared.web.views.values import instant


def parked_view(message: ParkedMessage, links: Links) -> Json:
    """Return a parked message with its text as it arrived."""
    return {
        "id": message.id,
        "queue": message.queue,
        "kind": message.kind or None,
        "correlation_id": message.correlation_id or None,
        "reason": message.reason,
        "tries": message.tries,
        "parked_at": instant(message.parked_at),
        "text": message.text,
        "url": links.to("messages", "parked", message.id),
        "replay_url": links.to("messages", "parked", message.id, "replay"),
    }
