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


@dataclass(frozen=True, slots=True, kw_only=True)
class VmLine:
    """A transition of a VM as the history of its team and of its image shows it."""

    key: str
    resource_id: str
    number: int
    """Which line of the VM's own history it is, from 1."""
    team: str
    """Whose the VM was afterwards."""
    definition: str
    version: str
    """The image version it ran afterwards."""
    transition: Transition
