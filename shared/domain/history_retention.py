"""How long the history of a VM is kept, and when it is worth a look."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.vm_record import VmRecord

SLACK = timedelta(days=30)
"""How much more is kept before lines are dropped: a VM is trimmed once a month, not every week."""


def overdue_for_trimming(
    records: Iterable[VmRecord], policy: FleetPolicy, now: datetime
) -> list[str]:
    """Return the keys of VMs whose history is too long, or that were deleted too long ago."""
    return [r.key for r in records if is_overdue(r, policy, now) or is_forgotten(r, policy, now)]


def is_overdue(record: VmRecord, policy: FleetPolicy, now: datetime) -> bool:
    """Tell whether every line is kept for longer than asked for, and SLACK."""
    kept_from = record.history_from or record.first_seen_at
    return kept_from < kept_since(policy, now) - SLACK


def is_forgotten(record: VmRecord, policy: FleetPolicy, now: datetime) -> bool:
    """Tell whether a VM was deleted so long ago that nothing of it is kept."""
    return record.deleted_at is not None and record.deleted_at < kept_since(policy, now)


def kept_since(policy: FleetPolicy, now: datetime) -> datetime:
    """Return from when on lines of history are kept: whole days, so that a repeat says the same."""
    return (now - policy.history_kept).replace(hour=0, minute=0, second=0, microsecond=0)
