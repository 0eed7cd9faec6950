"""Writing a VM's change down and telling the world of its verdict, also after a crash between."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import batched

from shared.domain.attestation import AttestationRules
from shared.domain.history import Transition
from shared.domain.verdict import judge
from shared.domain.vm_record import Image, Machine, Verdict, VmRecord
from shared.fleet.attesting import attesting
from shared.fleet.catalog import Catalog
from shared.fleet.record import Change, Judged
from shared.messages import Announcement, Message
from shared.ports import Stored, VmEntry, Vms

SAY_AGAIN = timedelta(hours=12)
"""A verdict this fresh is announced again by whatever wrote it: the delivery before may have died,
or found Event Grid gone, between writing and announcing. A message is put off for less than that.
"""

AT_ONCE = 10
"""How many VMs of a message are worked on at the same time."""


async def judge_image(
    image: Image, region: str, catalog: Catalog, machine: Machine = Machine.VM
) -> Judged:
    """Judge *image* by what the register says now."""
    image, definition = await catalog.identify(image)
    versions = await catalog.versions(definition, image.version) if definition else None
    judgement = judge(
        image, region=region, definition=definition, versions=versions, machine=machine
    )
    return Judged(image=image, definition=definition, judgement=judgement)


async def write(
    stored: Stored[VmEntry],
    change: Change,
    *,
    vms: Vms,
    attestation_rules: AttestationRules,
    now: datetime,
    because: str,
) -> list[Message]:
    """Save *change*, made *because* of what, and return what is to be announced and attested.

    An unchanged VM is saved too: that writes nothing, but ends what a delivery before left undone.
    The record itself tells whether Azure Policy knows its verdict, so that is asked for until it
    does.

    Raises ConflictError when another delivery wrote the VM since it was loaded.
    """
    await vms.save(stored, change.entry, change.lines)
    record = change.entry.record
    if record is None:
        return []
    follows = attesting([record], attestation_rules, now)
    if change.lines:
        first = record.transitions - len(change.lines) + 1
        return follows + _announce(record, change.lines, first=first)
    return follows + await _announce_again(record, vms=vms, now=now, because=because)


async def all_of[T](work: Iterable[Awaitable[T]]) -> list[T]:
    """Return what every piece of *work* returns, AT_ONCE at a time, in order.

    One failure does not stop the others of its batch; the first one is raised after them.
    """
    results: list[T] = []
    for batch in batched(work, AT_ONCE, strict=False):
        ended = await asyncio.gather(*batch, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, BaseException):
                raise outcome
            results.append(outcome)
    return results


def _announce(record: VmRecord, lines: Sequence[Transition], *, first: int) -> list[Message]:
    """Return the announcement of the last verdict among *lines*; the first has number *first*.

    A VM that is current when first seen is no news.
    """
    numbered = [(first + i, line) for i, line in enumerate(lines) if line.what == "verdict"]
    if not numbered:
        return []
    number, line = numbered[-1]
    if not line.old and line.new == Verdict.CURRENT:
        return []
    return [
        Announcement(
            name="VmVerdictChanged",
            subject=f"vms/{record.key}",
            key=f"{record.key}/{number}",
            data={
                "vm": record.resource_id,
                "team": record.team,
                "old": line.old,
                "new": line.new,
                "reason": record.reason,
                "image": record.image.image_id,
                "version": record.image.version,
                "asOf": line.at.isoformat(),
                "machine": str(record.machine),
                "rule": str(record.rule),
                "dueAt": record.due_at.isoformat() if record.due_at else None,
                "newest": record.newest or None,
            },
        )
    ]


async def _announce_again(
    record: VmRecord, *, vms: Vms, now: datetime, because: str
) -> list[Message]:
    """Return the last announcement once more, if it is fresh and *because* of the same."""
    if now - record.changed_at > SAY_AGAIN or record.deleted_at is not None:
        return []
    if record.verdict is Verdict.CURRENT and record.changed_at == record.first_seen_at:
        return []  # current ever since it was first seen: spares the look into its history
    lines = [n for n in await vms.lines(record.key) if n.transition.what == "verdict"]
    if not lines:
        return []
    last = lines[-1].transition
    if last.because != because or now - last.at > SAY_AGAIN:
        return []
    return _announce(record, [last], first=lines[-1].number)
