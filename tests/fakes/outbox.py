"""An outbox that keeps what it is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.announcements import check
from shared.errors import RefusedError
from shared.messages import Announcement, Command, Envelope, encode
from tests.fakes.dial import Dial

LONGEST_DELAY = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One command as it was sent."""

    command: Command
    correlation_id: str
    delay: timedelta
    tries: int


class FakeOutbox(Dial):
    """Keeps commands, texts and announcements in the order they came.

    Raises ValueError for an announcement that does not fit the schema of its event.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Sent] = []
        self.texts: list[tuple[str, str]] = []
        """Every `put`, as queue and text."""
        self.announced: list[Announcement] = []

    @property
    def commands(self) -> list[Command]:
        """The commands alone."""
        return [s.command for s in self.sent]

    async def send(
        self, command: Command, *, correlation_id: str, delay: timedelta, tries: int = 0
    ) -> None:
        self._call("send")
        if delay > LONGEST_DELAY:
            raise RefusedError(f"a {command.kind} message cannot wait {delay}; 7 days is the most")
        encode(Envelope(command=command, correlation_id=correlation_id, tries=tries))
        self.sent.append(
            Sent(command=command, correlation_id=correlation_id, delay=delay, tries=tries)
        )

    async def put(self, queue: str, text: str) -> None:
        self._call("put")
        self.texts.append((queue, text))

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        self._call("announce")
        for announcement in announcements:
            check(announcement)
        self.announced.extend(announcements)
