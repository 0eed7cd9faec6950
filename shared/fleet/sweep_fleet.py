"""sweep_fleet: begin a sweep of every subscription Resource Graph shows, unless one is under way.

First the sweep takes its place under the record's ETag, so of two at once one is skipped. Then the
subscriptions are brought up to date and cut into batches. A repeat goes on where it stands.
"""

from dataclasses import replace
from datetime import datetime
from itertools import batched

from shared.domain.subscription import Subscription
from shared.domain.sweep import (
    KEPT,
    NOT_SHOWN,
    Sweep,
    SweepBatch,
    SweepOutcome,
    hidden,
    is_stalled,
    shown,
)
from shared.errors import PermanentError
from shared.fleet.register import all_of
from shared.fleet.subscriptions import known_subscription
from shared.fleet.sweep_end import FIRST_RANK, abandon, leave
from shared.messages import Message, SweepFleet, SweepSubscriptions
from shared.ports import (
    ResourceGraph,
    ShownSubscriptions,
    Stored,
    Subscriptions,
    Sweeps,
    every,
)

BATCH = 100
"""Subscriptions in one chain of pages: far below what one query may name, and enough for pages to
be full where subscriptions are small."""

_PAGE = 1000
_FORGOTTEN = 3
"""Old sweeps dropped by each new one, which is more than come to be old meanwhile."""


async def sweep_fleet(
    command: SweepFleet,
    *,
    resource_graph: ResourceGraph,
    subscriptions: Subscriptions,
    sweeps: Sweeps,
    now: datetime,
) -> list[Message]:
    """Begin the sweep, and send the first message of each of its batches."""
    stored = await sweeps.get(command.sweep_id) or await _enter(command, sweeps, now)
    if not stored.value.running:
        return []
    if stored.value.batches is None:
        await sweeps.forget(before=now - KEPT, limit=_FORGOTTEN)
        stored = await _plan(stored, resource_graph, subscriptions, sweeps, now)
    if not stored.value.running:
        return []
    return [
        SweepSubscriptions(
            sweep_id=stored.value.id, batch=batch.value.number, turn=0, rank=FIRST_RANK
        )
        for batch in await sweeps.batches(stored.value.id)
        if batch.value.running and batch.value.turn == 0
    ]


async def _enter(command: SweepFleet, sweeps: Sweeps, now: datetime) -> Stored[Sweep]:
    """Take the place of the one sweep under way, or write down that this one is skipped."""
    state = await sweeps.state()
    own = Sweep(id=command.sweep_id, asked_by=command.asked_by, began_at=now)
    if state.value.current not in ("", command.sweep_id):
        other = await sweeps.get(state.value.current)
        if other and other.value.running:
            batches = [b.value for b in await sweeps.batches(other.value.id)]
            if not is_stalled(other.value, batches, now=now):
                why = (
                    f"sweep {other.value.id} is still under way since "
                    f"{other.value.began_at.isoformat(timespec='seconds')}"
                )
                return await sweeps.save(Stored(own.end(SweepOutcome.SKIPPED, why=why, now=now)))
            await abandon(other, sweeps=sweeps, now=now)
            state = await sweeps.state()
    first = state.value.first_began_at or now
    entered = replace(state.value, current=own.id, first_began_at=first)
    await sweeps.save_state(replace(state, value=entered))
    return await sweeps.save(Stored(own))


async def _plan(
    stored: Stored[Sweep],
    resource_graph: ResourceGraph,
    subscriptions: Subscriptions,
    sweeps: Sweeps,
    now: datetime,
) -> Stored[Sweep]:
    """Bring the subscriptions up to date and write down the batches."""
    sweep = stored.value
    try:
        answer = await resource_graph.subscriptions()
    except PermanentError as error:
        await leave(stored, SweepOutcome.FAILED, why=str(error), sweeps=sweeps, now=now)
        raise
    known = await _known(subscriptions)
    found = await _update(answer, known, subscriptions, now)
    if not found:
        why = (
            "Resource Graph shows no subscription: give the identity Assay runs as Reader where "
            "your VMs are"
        )
        return await leave(stored, SweepOutcome.FAILED, why=why, sweeps=sweeps, now=now)
    cut = list(batched(found, BATCH, strict=False))
    for number, some in enumerate(cut):
        # A delivery that died here may have cut otherwise; one that did not has set things going.
        before = await sweeps.batch(sweep.id, number)
        if before is None or before.value.turn == 0:
            etag = before.etag if before else ""
            await sweeps.save_batch(Stored(_batch(sweep, number, some, now), etag))
    planned = replace(
        sweep,
        subscriptions=len(found),
        unreadable=len(known.keys() - {s.subscription_id for s in found}) if answer.whole else 0,
        batches=len(cut),
    )
    return await sweeps.save(replace(stored, value=planned))


def _batch(
    sweep: Sweep, number: int, subscriptions: tuple[Subscription, ...], now: datetime
) -> SweepBatch:
    return SweepBatch(
        sweep_id=sweep.id,
        number=number,
        subscriptions=tuple(s.subscription_id for s in subscriptions),
        first=tuple(s.subscription_id for s in subscriptions if s.swept_at is None),
        began_at=sweep.began_at,
        moved_at=now,
    )


async def _known(subscriptions: Subscriptions) -> dict[str, Subscription]:
    pages = every(lambda cursor: subscriptions.list(limit=_PAGE, cursor=cursor))
    return {s.subscription_id: s async for s in pages}


async def _update(
    answer: ShownSubscriptions,
    known: dict[str, Subscription],
    subscriptions: Subscriptions,
    now: datetime,
) -> list[Subscription]:
    """Write down what changed of the subscriptions; return those shown, by id."""
    found = {
        one.subscription_id: shown(
            known.get(one.subscription_id) or Subscription(subscription_id=one.subscription_id),
            one.management_groups,
        )
        for one in answer.subscriptions
    }
    missing = known.keys() - found.keys() if answer.whole else set()
    changed = [name for name in sorted(found) if found[name] != known.get(name)]
    lost = [name for name in sorted(missing) if known[name].problem != NOT_SHOWN]

    async def write(name: str) -> None:
        stored = await known_subscription(name, subscriptions)
        if name in found:
            value = shown(stored.value, found[name].management_groups)
        else:
            value = hidden(stored.value, now=now)
        await subscriptions.save(replace(stored, value=value))

    await all_of(write(name) for name in [*changed, *lost])
    return [found[name] for name in sorted(found)]
