"""One canonical log line per step; a correlation id ties the steps of a flow together."""

import logging
import uuid
from datetime import datetime

_log = logging.getLogger("assay")


def quiet_sdks() -> None:
    """Keep the Azure SDKs from logging a line per request and one per answer, headers and all."""
    logging.getLogger("azure").setLevel(logging.WARNING)


def new_correlation_id() -> str:
    """Return an id for a flow that starts here."""
    return uuid.uuid4().hex


def log_step(
    step: str,
    outcome: str,
    *,
    correlation_id: str,
    subject: str,
    started: datetime,
    ended: datetime,
    follows: list[str],
    detail: str = "",
) -> None:
    """Write the canonical line of one delivery.

    *outcome* is `done`, `put-off` or `failed`; *subject* is the build, VM or definition
    the message is about; *follows* names what was sent. Nothing personal is ever in it.
    """
    level = logging.INFO if outcome == "done" else logging.WARNING
    _log.log(
        level,
        "step=%s outcome=%s subject=%s ms=%d follows=%s correlation_id=%s%s",
        step,
        outcome,
        subject,
        (ended - started).total_seconds() * 1000,
        ",".join(follows) or "-",
        correlation_id,
        f" detail={detail}" if detail else "",
    )
