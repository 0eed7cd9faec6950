"""What the host reads from host.json and from app settings."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from localcloud.errors import FunctionsHostError

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d+)?)$")
_SETTING = re.compile(r"%([^%]+)%")

MAX_BATCH_SIZE = 32


@dataclass(frozen=True)
class QueueSettings:
    """`extensions.queues` of host.json; seconds where it writes time spans.

    Defaults: "Azure Queue storage trigger and bindings", host.json settings, Microsoft Learn.
    There newBatchThreshold is half of batchSize per core; this host counts as one core.
    """

    batch_size: int = 16
    new_batch_threshold: int = 8
    visibility_timeout: float = 0.0
    max_polling_interval: float = 60.0
    max_dequeue_count: int = 5
    base64: bool = True


@dataclass(frozen=True)
class HostSettings:
    """The parts of host.json this host acts on."""

    queues: QueueSettings = QueueSettings()
    route_prefix: str = "api"


def read_host_json(app_dir: Path) -> HostSettings:
    """The settings in `app_dir/host.json`. FunctionsHostError when missing, unreadable or wrong."""
    path = app_dir / "host.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FunctionsHostError(f"{path} cannot be read: {error}") from error
    extensions = content.get("extensions", {})
    prefix = extensions.get("http", {}).get("routePrefix", "api")
    return HostSettings(_queue_settings(extensions.get("queues", {})), str(prefix).strip("/"))


def _queue_settings(raw: Mapping[str, Any]) -> QueueSettings:
    batch_size = int(raw.get("batchSize", QueueSettings.batch_size))
    if not 1 <= batch_size <= MAX_BATCH_SIZE:
        raise FunctionsHostError(
            f"host.json: queues.batchSize is {batch_size}, not 1 to {MAX_BATCH_SIZE}."
        )
    encoding = str(raw.get("messageEncoding", "base64")).lower()
    if encoding not in ("base64", "none"):
        raise FunctionsHostError(
            f"host.json: queues.messageEncoding is {encoding!r}, not base64 or none."
        )
    return QueueSettings(
        batch_size=batch_size,
        new_batch_threshold=int(raw.get("newBatchThreshold", batch_size // 2)),
        visibility_timeout=_seconds(raw.get("visibilityTimeout", "00:00:00")),
        max_polling_interval=_seconds(raw.get("maxPollingInterval", "00:01:00")),
        max_dequeue_count=int(raw.get("maxDequeueCount", QueueSettings.max_dequeue_count)),
        base64=encoding == "base64",
    )


def _seconds(span: str | int) -> float:
    """Seconds of a .NET time span `[d.]hh:mm:ss[.f]`, or of a number of milliseconds."""
    if isinstance(span, int):
        return span / 1000
    match = _TIME_SPAN.match(span)
    if match is None:
        raise FunctionsHostError(f"host.json: {span!r} is not a time span like 00:00:30.")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """Put the app settings in place of every `%NAME%`. KeyError with the name of a missing one."""
    return _SETTING.sub(lambda match: settings[match.group(1)], text)
