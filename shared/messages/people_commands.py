"""The message that has people told of an event."""

from dataclasses import dataclass
from typing import Any, ClassVar

from shared.messages.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyPeople(Command):
    """Tell people in their chat channel of an event Assay announced."""

    kind: ClassVar[str] = "notify_people"
    event_id: str
    event: str
    """Its name without `Assay.`."""
    subject: str
    data: dict[str, Any]
