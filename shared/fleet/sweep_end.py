"""How a sweep ends: its last batch ends it, a fault, or a later sweep that finds it stalled."""

from dataclasses import replace
from datetime import datetime

from shared.domain.sweep import Sweep, SweepOutcome, how_it_ended
from shared.domain.vm_record import Machine
from shared.ports import RANKS, Stored, Sweeps

ORDER = tuple(
    RANKS.index(machines)
    for machines in ((Machine.SCALE_SET,), (Machine.VM, Machine.FLEXIBLE), (Machine.UNIFORM,))
)
"""In which order the ranks are swept: scale sets first, for instances have their tags from them."""
FIRST_RANK = ORDER[0]


async def end_sweep(sweep_id: str, *, sweeps: Sweeps, now: datetime) -> None:
    """End a sweep whose batches have all ended; nothing while one has not.

    Each batch asks when it has ended, so the last one finds all of them ended.
    """
    stored = await sweeps.get(sweep_id)
    if stored is None or stored.value.batches is None:
        return
    ended = how_it_ended([b.value for b in await sweeps.batches(sweep_id)])
    if ended is None:
        return
    await leave(stored, ended[0], why=ended[1], sweeps=sweeps, now=now)


async def leave(
    stored: Stored[Sweep], outcome: SweepOutcome, *, why: str, sweeps: Sweeps, now: datetime
) -> Stored[Sweep]:
    """Write down how a sweep ended, and make room for the next one."""
    if stored.value.running:
        stored = await sweeps.save(
            replace(stored, value=stored.value.end(outcome, why=why, now=now))
        )
    sweep, state = stored.value, await sweeps.state()
    if state.value.current == sweep.id:
        left = replace(state.value, current="")
        if sweep.outcome is SweepOutcome.DONE:
            left = replace(
                left,
                last=sweep.id,
                last_began_at=sweep.began_at,
                subscriptions=sweep.subscriptions,
            )
        await sweeps.save_state(replace(state, value=left))
    return stored


async def abandon(stored: Stored[Sweep], *, sweeps: Sweeps, now: datetime) -> None:
    """Give up a sweep that no longer moves; messages of it that come late do nothing."""
    why = "no page was taken for hours: one of its messages was parked or lost"
    for batch in await sweeps.batches(stored.value.id):
        if batch.value.running:
            ended = batch.value.end(SweepOutcome.ABANDONED, why=why, now=now)
            await sweeps.save_batch(replace(batch, value=ended))
    await leave(stored, SweepOutcome.ABANDONED, why=why, sweeps=sweeps, now=now)
