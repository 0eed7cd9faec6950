"""sweep_subscriptions: hold one page of the machines in a batch against the register."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice

from shared.domain.attestation import AttestationRules
from shared.domain.fleet_policy import FleetPolicy
from shared.domain.subscription import Subscription
from shared.domain.sweep import MOST_RESTARTS, SweepBatch, SweepOutcome
from shared.domain.tattoo_reading import needs_reading
from shared.domain.turns import Admission
from shared.errors import NotFoundError, PermanentError, RefusedError
from shared.fleet.attesting import attesting, joined
from shared.fleet.catalog import Catalog
from shared.fleet.record import Lens
from shared.fleet.register import all_of
from shared.fleet.subscriptions import known_subscription
from shared.fleet.sweep_end import FIRST_RANK, ORDER, end_sweep
from shared.fleet.sweep_page import BECAUSE, Findings, PageReader, highest
from shared.fleet.track_vm import Tracker
from shared.messages import Delayed, Message, ReadTattoo, SettleDrift, SweepSubscriptions
from shared.ports import (
    Definitions,
    Gallery,
    MachinesPage,
    Pace,
    RecentVersions,
    ResourceGraph,
    Stored,
    Subscriptions,
    Sweeps,
    Vms,
)

_SOUND = (SweepOutcome.RUNNING, SweepOutcome.DONE)
_MOST_IDS, _MOST_BYTES = 100, 32_000
"""What one message that follows may hold; a queue takes 48 KB."""
_MOST_TATTOOS = 50
"""Tattoos a page lets read; the others come with the next sweep."""


async def sweep_subscriptions(
    command: SweepSubscriptions,
    *,
    resource_graph: ResourceGraph,
    sweeps: Sweeps,
    vms: Vms,
    subscriptions: Subscriptions,
    recent_versions: RecentVersions,
    gallery: Gallery,
    definitions: Definitions,
    fleet_policy: FleetPolicy,
    attestation_rules: AttestationRules,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Compare one page, write what the rows suffice for, and have the rest read one by one.

    What the page counts is saved, with the turn, before anything is written. So a delivery that
    dies is counted once. Its repeat finds the turn taken and reads the page again without counting
    it, for the sake of verdicts that may not have been announced; and it comes back to see whether
    the batch went on, and sends what follows if it did not.
    """
    stored = await sweeps.batch(command.sweep_id, command.batch)
    if stored is None:
        raise NotFoundError(
            f"there is no batch {command.batch} of sweep {command.sweep_id}; its record may have "
            "been deleted, discard the sweep_subscriptions message"
        )
    if command.closing or stored.value.outcome not in _SOUND:
        await _close(stored, subscriptions=subscriptions, sweeps=sweeps, now=now)
        return []
    admission = stored.value.admit(command.turn, guard=command.guard)
    page = await _page(stored, command, resource_graph, sweeps, now)
    if page is None:
        return await _without_page(stored, command, admission, sweeps=sweeps, pace=pace, now=now)
    catalog = Catalog(definitions=definitions, gallery=gallery, recent_versions=recent_versions)
    reader = PageReader(
        batch=stored.value,
        vms=vms,
        subscriptions=subscriptions,
        catalog=catalog,
        lens=Lens(policy=fleet_policy),
        now=now,
        again=admission is not Admission.ACT,
    )
    findings = await reader.compare(page, command.rank, after=command.after)
    if admission is Admission.ACT:
        begins = command.rank == FIRST_RANK and not command.token
        taken = stored.value.took(
            findings.tally,
            begins=begins,
            passed_over=findings.passed_over,
            probed=findings.probed,
            now=now,
        )
        await sweeps.save_batch(replace(stored, value=taken))
    tracker = Tracker(
        vms=vms,
        catalog=catalog,
        lens=reader.lens,
        attestation_rules=attestation_rules,
        now=now,
        because=BECAUSE,
    )
    announced = await tracker.track(
        {key: held for key, (held, _) in findings.enter.items()},
        {key: facts for key, (_, facts) in findings.enter.items()},
    )
    due = attesting(findings.held, attestation_rules, now)
    reading = _reading(findings, fleet_policy, now)
    following = _following(command, admission, page, findings, pace)
    return joined([announced, due, reading, following])


def _reading(findings: Findings, policy: FleetPolicy, now: datetime) -> list[Message]:
    """Return the reading of tattoos that are due, so many at a time as Azure may well be asked."""
    due = (record for record in findings.held if needs_reading(record, now, policy))
    return [ReadTattoo(vm_key=record.key, started_at=now) for record in islice(due, _MOST_TATTOOS)]


def _following(
    command: SweepSubscriptions,
    admission: Admission,
    page: MachinesPage,
    findings: Findings,
    pace: Pace,
) -> list[Message]:
    if admission is Admission.DROP:
        return []
    if admission is Admission.GUARD:
        return [_guard(command, pace)]
    return [*_settling(command, findings), _next(command, page)]


def _guard(command: SweepSubscriptions, pace: Pace) -> Delayed:
    return Delayed(command=replace(command, guard=True), delay=pace.grace)


async def _without_page(
    stored: Stored[SweepBatch],
    command: SweepSubscriptions,
    admission: Admission,
    *,
    sweeps: Sweeps,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Return what follows a token that is no longer good."""
    if admission is Admission.DROP:
        return []
    if admission is Admission.GUARD:
        return [_guard(command, pace)]
    return await _begin_again(stored, command, sweeps, now)


async def _page(
    stored: Stored[SweepBatch],
    command: SweepSubscriptions,
    resource_graph: ResourceGraph,
    sweeps: Sweeps,
    now: datetime,
) -> MachinesPage | None:
    """Ask for the page; a batch Azure refuses for good is ended, aloud."""
    names = stored.value.subscriptions
    try:
        return await resource_graph.machines(names, command.rank, token=command.token)
    except PermanentError as error:
        if stored.value.running:
            await _fail(stored, str(error), sweeps, now)
        raise


async def _begin_again(
    stored: Stored[SweepBatch], command: SweepSubscriptions, sweeps: Sweeps, now: datetime
) -> list[Message]:
    """Go back to the first page of a batch whose token is no longer good."""
    if stored.value.restarts >= MOST_RESTARTS:
        why = (
            f"Resource Graph did not take its own token {MOST_RESTARTS + 1} times; the next sweep "
            "begins anew, see whether the queue of sweep-subscriptions is worked off in time"
        )
        await _fail(stored, why, sweeps, now)
        raise RefusedError(f"batch {command.batch} of sweep {command.sweep_id} ended: {why}")
    if command.turn == stored.value.turn:
        stored = await sweeps.save_batch(replace(stored, value=stored.value.begin_again(now=now)))
    return [
        SweepSubscriptions(
            sweep_id=command.sweep_id,
            batch=command.batch,
            turn=stored.value.turn,
            rank=FIRST_RANK,
        )
    ]


async def _fail(stored: Stored[SweepBatch], why: str, sweeps: Sweeps, now: datetime) -> None:
    ended = stored.value.end(SweepOutcome.FAILED, why=why, now=now)
    await sweeps.save_batch(replace(stored, value=ended))
    await end_sweep(stored.value.sweep_id, sweeps=sweeps, now=now)


async def _close(
    stored: Stored[SweepBatch], *, subscriptions: Subscriptions, sweeps: Sweeps, now: datetime
) -> None:
    """Mark the subscriptions as swept; not those that turned out to be unreadable meanwhile.

    Nor those that can be read again since half-way: some of their machines were passed over. One
    that could not be read and has no machine left has nothing that could be refused any more.
    A batch that has ended already only looks whether it was the last one.
    """
    batch = stored.value
    if not batch.running:
        await end_sweep(batch.sweep_id, sweeps=sweeps, now=now)
        return

    async def mark(name: str) -> None:
        known = await known_subscription(name, subscriptions)
        home = known.value
        if _is_empty(home, batch):
            home = home.readable()
        if not home.problem and (home.swept_at is None or home.swept_at < batch.began_at):
            swept = replace(home, swept_at=batch.began_at)
            await subscriptions.save(replace(known, value=swept))

    await all_of(mark(name) for name in batch.subscriptions if name not in batch.passed_over)
    ended = batch.end(SweepOutcome.DONE, now=now)
    await sweeps.save_batch(replace(stored, value=ended))
    await end_sweep(batch.sweep_id, sweeps=sweeps, now=now)


def _is_empty(home: Subscription, batch: SweepBatch) -> bool:
    """Tell whether every page found a subscription unreadable and without a machine."""
    since = home.problem_since
    return since is not None and since < batch.began_at and home.subscription_id not in batch.probed


def _next(command: SweepSubscriptions, page: MachinesPage) -> Message:
    """Return what carries the batch on: the page after this one, the next rank, or the close."""
    after = highest(command.after, (m.resource_id for m in page.machines))
    following = replace(command, turn=command.turn + 1, guard=False)
    if page.token:
        following = replace(following, token=page.token, after=after)
    elif command.rank == ORDER[-1]:
        following = replace(following, token="", after="", closing=True)
    else:
        rank = ORDER[ORDER.index(command.rank) + 1]
        following = replace(following, token="", after="", rank=rank)
    return Delayed(command=following, delay=page.wait) if page.wait else following


def _settling(command: SweepSubscriptions, findings: Findings) -> Iterator[SettleDrift]:
    """Return the reading of what seems to differ, in messages a queue takes."""
    ids = [i for name in sorted(findings.drift) for i in findings.drift[name]]
    for number, some in enumerate(_portions(ids)):
        yield SettleDrift(
            sweep_id=command.sweep_id,
            batch=command.batch,
            part=f"{command.batch:06d}.{command.turn:06d}.{number:03d}",
            resource_ids=tuple(some),
        )


def _portions(ids: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    size = 0
    for each in ids:
        length = len(json.dumps(each))
        if some and (len(some) == _MOST_IDS or size + length > _MOST_BYTES):
            yield some
            some, size = [], 0
        some.append(each)
        size += length
    if some:
        yield some
