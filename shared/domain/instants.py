"""How a time is written for people and programs."""

from datetime import UTC, datetime


def instant(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds: `2026-11-22T12:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_or_none(at: datetime | None) -> str | None:
    """Write a time that may be missing."""
    return None if at is None else instant(at)
