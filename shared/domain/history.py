"""A transition: what changed, from what, to what, when, because of what."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One line of an append-only history; *at* is UTC."""

    what: str
    old: str
    new: str
    at: datetime
    because: str
