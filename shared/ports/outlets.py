"""Where what Assay says goes: queues, its topic, and the people's chat channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from shared.messages import Announcement, Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something people are told, as plain text; the channel decides how it looks."""

    title: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    """Pairs of a label and its value."""
    path: str = ""
    """The page of our API to read more on, relative to its base; empty when there is none."""


class Notifier(Protocol):
    """The chat channel people are told in."""

    async def tell(self, note: Note) -> None:
        """Post *note*; raises RetryableError or RefusedError when the channel does not take it."""


class Outbox(Protocol):
    """Where messages and announcements go."""

    async def send(
        self, command: Command, *, correlation_id: str, delay: timedelta, tries: int = 0
    ) -> None:
        """Put a command into the queue of its step, visible after *delay*."""

    async def put(self, queue: str, text: str) -> None:
        """Put *text* into a queue as it is."""

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Publish CloudEvents to our topic."""
