"""The records of running Assay: parked messages, the audit trail and receipts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.ports.values import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """A message no step could do, kept for an operator."""

    id: str
    queue: str
    text: str
    """The message as it arrived."""
    reason: str
    tries: int
    parked_at: datetime
    kind: str = ""
    correlation_id: str = ""


class Parked(Protocol):
    """Messages that could not be done, until an operator replays or discards them."""

    async def park(self, message: ParkedMessage) -> None:
        """Keep *message*; keeping it again under the same id replaces it."""

    async def get(self, message_id: str) -> ParkedMessage | None:
        """Load one."""

    async def list(self, *, limit: int = 50, cursor: str = "") -> Page[ParkedMessage]:
        """List them, in the order of their ids."""

    async def remove(self, message_id: str) -> None:
        """Forget one; no error when it is gone already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing a person or a pipeline asked for: who, what, why, and what it changed."""

    id: str
    scope: str
    """What the entry is listed under: `images/<definition>` or `messages`."""
    subject: str
    """What was acted on: `images/<definition>/versions/<version>`, `builds/<id>` …"""
    what: str
    who: str
    """Object id of the caller, or `function-key`; never a name."""
    why: str
    before: dict[str, Any]
    at: datetime
    correlation_id: str
    outcome: str = "asked"
    """`asked` until it is known, then `done`, `refused` or `failed`."""
    after: dict[str, Any] | None = None
    detail: str = ""
    """Why it was refused or failed."""


class Audit(Protocol):
    """What was asked for through the API, by whom and why."""

    async def write(self, entry: AuditEntry) -> None:
        """Keep *entry*; writing it again under the same id replaces it."""

    async def list(
        self, scope: str, *, subject: str = "", limit: int = 50, cursor: str = ""
    ) -> Page[AuditEntry]:
        """List the entries of *scope*, of one *subject* or of all, newest first.

        Raises BadMessageError when *cursor* is not one we gave for this list.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that something was done under a key, with the answer that was given."""

    key: str
    fingerprint: str
    """Of what was asked; the same key with another fingerprint asks for something else."""
    at: datetime
    status: int = 0
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


RECEIPT_LIFE = timedelta(hours=24)
"""How long a receipt is kept."""


class Receipts(Protocol):
    """What was done under which key, for `RECEIPT_LIFE`."""

    async def get(self, key: str, *, now: datetime) -> Receipt | None:
        """Return the receipt under *key*; None when there is none or it is too old."""

    async def keep(self, receipt: Receipt) -> Receipt:
        """Keep *receipt*, and return the one that is kept: the first under its key."""
