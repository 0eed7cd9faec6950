"""The envelope a command travels in, written and read."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadMessageError
from shared.messages.base import Command
from shared.messages.catalog import COMMANDS

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What we write into logs as it came; anything else is dropped, for anyone may send messages."""

MAX_BYTES = 48 * 1024
"""Largest message we write: 64 KiB less base64's third
(https://learn.microsoft.com/azure/storage/queues/storage-queues-introduction)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A command as it travels; *tries* counts how often it was put off."""

    command: Command
    correlation_id: str
    tries: int = 0


_TRIES = TypeAdapter(int)


@cache
def _adapter(kind: str) -> TypeAdapter[Command]:
    return TypeAdapter(COMMANDS[kind])


def encode(envelope: Envelope) -> str:
    """Return *envelope* as the text of a queue message.

    Raises BadMessageError when it is larger than a queue takes.
    """
    command = envelope.command
    text = json.dumps(
        {
            "kind": command.kind,
            "version": command.version,
            "correlation_id": envelope.correlation_id,
            "tries": envelope.tries,
            "body": _adapter(command.kind).dump_python(command, mode="json"),
        },
        separators=(",", ":"),
    )
    if len(text.encode()) > MAX_BYTES:
        raise BadMessageError(
            f"a {command.kind} message is larger than {MAX_BYTES} bytes and no queue takes it; "
            "send fewer things in one message"
        )
    return text


def load_json(text: str) -> Any:
    """Read the text of a queue message: JSON, plain or in base64.

    Event Grid has written both into storage queues, and `messageEncoding` is one setting for a
    whole app, so the reader tells them apart.

    Raises BadMessageError when it is neither.
    """
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadMessageError(
            f"a message that starts {text[:40]!r} is neither JSON nor base64 of JSON; "
            "find out who sent it"
        ) from error


def is_envelope(payload: Any) -> bool:
    """Tell whether *payload* claims to be one of our messages."""
    return isinstance(payload, dict) and "kind" in payload and "body" in payload


def decode(payload: dict[str, Any]) -> Envelope:
    """Read one of our messages out of its parsed JSON.

    Raises BadMessageError for an unknown kind, a newer version or a malformed body.
    """
    kind, version = payload.get("kind"), payload.get("version")
    command = COMMANDS.get(kind) if isinstance(kind, str) else None
    if command is None:
        raise BadMessageError(f"no step answers to message kind {kind!r}; see docs/messages.md")
    if not isinstance(version, int) or not 1 <= version <= command.version:
        raise BadMessageError(
            f"message {kind} has version {version!r}, and this release reads 1 to "
            f"{command.version}; upgrade Assay, then replay the message"
        )
    try:
        body = _adapter(command.kind).validate_python(payload.get("body"))
        tries = _TRIES.validate_python(payload.get("tries", 0))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadMessageError(f"message {kind} is malformed: {faults}") from error
    correlation_id = str(payload.get("correlation_id", ""))
    known = correlation_id if _CORRELATION_ID.fullmatch(correlation_id) else ""
    return Envelope(command=body, correlation_id=known, tries=tries)
