"""Step take_snapshot: count the fleet page by page, and keep what was counted as snapshots.

The snapshot of an hour is a chain of messages. One that takes longer than an hour is not disturbed
by the next: each hour counts in a place of its own, and both are kept under their own hour.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.fleet_row import FleetRow
from shared.domain.snapshot import Grain, count_rows, finish, merge
from shared.domain.turns import Admission, admit
from shared.messages import Delayed, Message, TakeSnapshot
from shared.ports import Pace, Page, Progress, Snapshots, Stored, Vms

ROWS = 5000
"""Rows counted by one message: the most that one page of the register reads."""
HOURLY_KEPT = timedelta(days=31)
"""How long hourly snapshots are kept; daily ones as long as the history of the VMs."""
_ABANDONED_AFTER = timedelta(days=2)
_SWEPT_TIMES = 2
"""Old snapshots forgotten for each new one: more than come, so that they never pile up."""


async def take_snapshot(
    command: TakeSnapshot,
    *,
    vms: Vms,
    snapshots: Snapshots,
    fleet_policy: FleetPolicy,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Count the page whose turn it is; when all are counted, write the snapshots.

    A finished snapshot is not taken again. A repeat counts nothing twice.
    """
    stored = await snapshots.progress(command.at)
    if stored is None:
        if command.page or await snapshots.get(Grain.HOUR, command.at):
            return []  # it is finished
        stored = Stored(Progress(at=command.at, as_of=now))
    progress = stored.value
    match admit(command.page, taken=progress.pages, guard=command.guard):
        case Admission.DROP:
            return []
        case Admission.GUARD:
            return [Delayed(command=replace(command, guard=True), delay=pace.grace)]
        case Admission.RESEND:
            return [_next(progress)]
        case Admission.ACT if not progress.counted:
            return await _count(stored, vms=vms, snapshots=snapshots)
    await _finish(progress, snapshots=snapshots, kept=fleet_policy.history_kept)
    return []


async def _count(stored: Stored[Progress], *, vms: Vms, snapshots: Snapshots) -> list[Message]:
    progress = stored.value
    page: Page[FleetRow] = await vms.rows(limit=ROWS, cursor=progress.cursor)
    further = replace(progress, pages=progress.pages + 1, cursor=page.cursor)
    part = count_rows(page.items, as_of=progress.as_of)
    await snapshots.add_page(replace(stored, value=further), part)
    return [_next(further)]


async def _finish(progress: Progress, *, snapshots: Snapshots, kept: timedelta) -> None:
    """Write the snapshots once, that of the whole fleet last; then forget how they were counted.

    Whoever finds it written only clears up: the pages may be gone in part.
    """
    at = progress.at
    if await snapshots.get(Grain.HOUR, at) is None:
        made = finish(merge(await snapshots.pages(progress)), at=at, as_of=progress.as_of)
        await snapshots.keep(Grain.DAY, made)
        await snapshots.keep(Grain.HOUR, made)
    await snapshots.clear_progress(at)
    await snapshots.sweep(Grain.HOUR, before=at - HOURLY_KEPT, most=_SWEPT_TIMES)
    await snapshots.sweep(Grain.DAY, before=at - kept, most=_SWEPT_TIMES)
    await snapshots.sweep_progress(before=at - _ABANDONED_AFTER)


def _next(progress: Progress) -> TakeSnapshot:
    return TakeSnapshot(at=progress.at, page=progress.pages)
