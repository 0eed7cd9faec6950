"""Reading the words of Azure that the SDKs turn into enumerations where they know them."""

from datetime import UTC, datetime
from enum import Enum


def word(value: str | None) -> str:
    """Return *value* as Azure wrote it; empty when it wrote nothing.

    The SDKs give a member of an enumeration for a word they know and plain text for any other,
    and `str` of such a member is its name in Python.
    """
    return str(value.value) if isinstance(value, Enum) else value or ""


def moment(value: datetime | None) -> datetime | None:
    """Return *value* in UTC; None for the year 1, by which Image Builder says "not yet"."""
    return None if value is None or value.year == 1 else value.astimezone(UTC)
