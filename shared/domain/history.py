"""A transition: what changed, from what, to what, when, because of what."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.vm_record import VmRecord


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


FIRST_SEEN = "first-seen"
"""What the first line of every VM says; its other facts of that moment have no lines but verdict
and policy."""


def watched(record: VmRecord) -> dict[str, str]:
    """Return the facts of a VM a history is kept of, as text; each is the `what` of its lines."""
    return {
        "deleted": record.deleted_at.isoformat() if record.deleted_at else "",
        "image": f"{record.image.image_id} {record.image.version}".strip(),
        "region": record.region,
        "team": record.team,
        "kind": str(record.kind),
        "verdict": str(record.verdict),
        "policy": record.policy,
        "tattoo": str(record.tattoo.state) if record.tattoo else "",
    }
