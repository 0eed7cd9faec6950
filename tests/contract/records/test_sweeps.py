"""What is kept of sweeps."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.sweep import Sweep, SweepBatch, SweepOutcome, SweepState, Tally
from shared.errors import BadMessageError, ConflictError
from shared.ports import Stored
from tests.contract.records.samples import NOON, AnyRecords, pages


def a_sweep(sweep_id: str = "s", *, minutes: int = 0) -> Sweep:
    began = NOON + timedelta(minutes=minutes)
    return Sweep(id=sweep_id, asked_by="timer", began_at=began, subscriptions=2, batches=2)


def a_batch(number: int = 0, **changes: object) -> SweepBatch:
    batch = SweepBatch(
        sweep_id="s",
        number=number,
        subscriptions=("a", "b"),
        first=("b",),
        began_at=NOON,
        moved_at=NOON,
        tally=Tally(rows=2, unchanged=1, first_seen=1),
    )
    return replace(batch, **changes)  # type: ignore[arg-type]


async def test_nothing_is_under_way_before_the_first_sweep(records: AnyRecords) -> None:
    assert await records.sweeps.state() == Stored(SweepState())
    assert await records.sweeps.get("s") is None
    assert await records.sweeps.batch("s", 0) is None
    assert await records.sweeps.report("s") is None


async def test_the_state_is_written_under_its_etag(records: AnyRecords) -> None:
    state = SweepState(current="s", last="r", last_began_at=NOON, subscriptions=7)
    await records.sweeps.save_state(Stored(state))

    held = await records.sweeps.state()
    assert held.value == state
    await records.sweeps.save_state(replace(held, value=replace(state, current="t")))
    for stale in (held, Stored(state)):
        with pytest.raises(ConflictError):
            await records.sweeps.save_state(stale)


async def test_a_sweep_and_its_batches_are_written_under_their_etags(records: AnyRecords) -> None:
    sweeps = records.sweeps
    await sweeps.save(Stored(a_sweep()))
    await sweeps.save_batch(Stored(a_batch()))

    sweep, batch = await sweeps.get("s"), await sweeps.batch("s", 0)
    assert sweep is not None
    assert batch is not None
    assert (sweep.value, batch.value) == (a_sweep(), a_batch())
    ended = sweep.value.end(SweepOutcome.FAILED, why="no", now=NOON)
    await sweeps.save(replace(sweep, value=ended))
    await sweeps.save_batch(replace(batch, value=a_batch(turn=1)))
    with pytest.raises(ConflictError):
        await sweeps.save(sweep)
    with pytest.raises(ConflictError):
        await sweeps.save_batch(batch)
    with pytest.raises(ConflictError):
        await sweeps.save_batch(Stored(a_batch()))
    now = await sweeps.get("s")
    assert now is not None
    assert now.value == ended


async def test_batches_are_listed_by_number(records: AnyRecords) -> None:
    for number in (11, 2, 0):
        await records.sweeps.save_batch(Stored(a_batch(number)))
    await records.sweeps.save(Stored(a_sweep()))
    await records.sweeps.count("s", "p", Tally(new=1))

    assert [b.value.number for b in await records.sweeps.batches("s")] == [0, 2, 11]
    assert await records.sweeps.batches("other") == []


async def test_a_report_sums_pages_and_parts_and_a_part_counts_once(records: AnyRecords) -> None:
    sweeps = records.sweeps
    await sweeps.save(Stored(a_sweep()))
    for number in (0, 1):
        await sweeps.save_batch(Stored(a_batch(number)))
    await sweeps.count("s", "000000.000001.000", Tally(changed=2, missed=2))
    await sweeps.count("s", "000000.000001.000", Tally(changed=1, missed=1))
    await sweeps.count("s", "set.abc", Tally(vanished=1, missed=1))

    report = await sweeps.report("s")

    assert report is not None
    assert (report.sweep, report.batches) == (a_sweep(), (a_batch(0), a_batch(1)))
    assert report.tally == Tally(rows=4, unchanged=2, first_seen=2, changed=2, vanished=1, missed=3)


async def test_sweeps_are_listed_newest_first(records: AnyRecords) -> None:
    for number in (3, 1, 2):
        await records.sweeps.save(Stored(a_sweep(f"s{number}", minutes=number)))

    found = await pages(lambda cursor: records.sweeps.list(limit=2, cursor=cursor))

    assert [r.sweep.id for page in found for r in page] == ["s3", "s2", "s1"]
    with pytest.raises(BadMessageError):
        await records.sweeps.list(cursor="made up")
