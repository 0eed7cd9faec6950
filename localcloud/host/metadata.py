"""Trigger metadata as the real host sends it, including how it can be overwritten by a payload."""

import json
from datetime import datetime
from typing import Any

from azure.storage.queue import QueueMessage

from localcloud.host.protos import TypedData


def queue_metadata(message: QueueMessage, text: str, dequeue_count: int) -> dict[str, TypedData]:
    """The metadata of one queue message whose decoded body is `text`."""
    known: dict[str, Any] = {
        "QueueTrigger": text,
        "DequeueCount": dequeue_count,
        "ExpirationTime": _moment(message.expires_on),
        "Id": message.id,
        "InsertionTime": _moment(message.inserted_on),
        "NextVisibleTime": _moment(message.next_visible_on),
        "PopReceipt": message.pop_receipt,
    }
    return _typed(known, text)


def manual_metadata(text: str) -> dict[str, TypedData]:
    """The metadata of a queue function that was invoked by hand, without a message."""
    return _typed({"QueueTrigger": text}, text)


def _typed(known: dict[str, Any], text: str) -> dict[str, TypedData]:
    overwrite_from_payload(known, text)
    return {key: _data(value) for key, value in known.items() if value is not None}


def overwrite_from_payload(known: dict[str, Any], text: str) -> None:
    """Add the top-level keys of a JSON object to the metadata, in place.

    The real host compares keys without regard to case and keeps the spelling it knew, so a payload
    with an `id` replaces the message's Id. Arrays and nulls are left out, scalars become text
    (Utility.ApplyBindingData, https://github.com/Azure/azure-functions-host).
    """
    if not (text.strip().startswith("{") and text.strip().endswith("}")):
        return
    try:
        payload = json.loads(text)
    except ValueError:
        return  # Text that only looks like JSON adds nothing.
    spelling = {key.lower(): key for key in known}
    for key, value in payload.items():
        if value is not None and not isinstance(value, list):
            known[spelling.setdefault(key.lower(), key)] = (
                value if isinstance(value, dict) else net_text(value)
            )


def net_text(value: Any) -> str:
    """A JSON value as .NET's ToString gives it: True, not true; objects and arrays indented."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False)


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _data(value: Any) -> TypedData:
    # The worker library reads no other kinds here; the real host sends JSON for all but text.
    return TypedData(string=value) if isinstance(value, str) else TypedData(json=json.dumps(value))
