"""What a step may return: commands, at once or delayed, and announcements."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from shared.domain.identifiers import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Base of every message; a subclass names the step it is for."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Delayed:
    """A command to be delivered no sooner than after *delay*."""

    command: Command
    delay: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What Assay tells the world: a CloudEvent of type `Assay.<name>`.

    The same fact has the same *key*, so its event id is the same however often it is sent, and
    subscribers can drop repeats.
    """

    name: str
    subject: str
    key: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def event_id(self) -> str:
        """The CloudEvent's id, derived from what is announced."""
        return digest(self.name, self.subject, self.key)


type Message = Command | Delayed | Announcement
"""What a step returns: what follows it."""
