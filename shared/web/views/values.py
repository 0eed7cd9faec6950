"""How single values are written in answers."""

from collections.abc import Iterable
from datetime import UTC, datetime

from shared.domain.history import Transition
from shared.web.exchange import Json


def instant(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds: `2026-11-22T12:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_or_none(at: datetime | None) -> str | None:
    """Write a time that may be missing."""
    return None if at is None else instant(at)


def history_view(transitions: Iterable[Transition]) -> list[Json]:
    """Return transitions as they are answered, in their order."""
    return [
        {"what": t.what, "from": t.old, "to": t.new, "at": instant(t.at), "because": t.because}
        for t in transitions
    ]
