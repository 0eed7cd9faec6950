"""Snapshots and the records of exports: in memory, and over Table Storage (the emulator)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypedDict

import pytest

from shared.domain.snapshot import (
    ALL,
    MAX_VALUES,
    OTHER,
    Dimension,
    Grain,
    Snapshot,
    Tally,
    count_rows,
    finish,
)
from shared.domain.vm_record import Machine, Verdict
from shared.errors import BadMessageError, ConflictError
from shared.ports import Export, ExportForm, ExportWhat, Progress, Stored, VmFilter
from shared.records.entities import MAX_ENTITY_BYTES, entity_bytes
from shared.records.records import Records
from shared.records.snapshot_rows import ROW_BYTES, page_rows, snapshot_row
from tests.contract.records.conftest import OpenTable
from tests.fakes.records import MemoryRecords
from tests.unit.domain.test_snapshot import row

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Span(TypedDict):
    """From when to when."""

    since: datetime
    before: datetime


FAR: Span = {"since": NOON - 9999 * DAY, "before": NOON + 9999 * DAY}

type Register = Records | MemoryRecords


def snapshots(at: datetime, *teams: str) -> list[Snapshot]:
    return finish(count_rows([row(team=t) for t in teams], as_of=at), at=at, as_of=at)


async def test_a_snapshot_in_the_making_grows_page_by_page(records: Register) -> None:
    parts = [count_rows([row(team=team)], as_of=NOON) for team in ("pay", "web#1")]
    assert await records.snapshots.progress(NOON) is None

    await records.snapshots.add_page(
        Stored(Progress(at=NOON, as_of=NOON, pages=1, cursor="c")), parts[0]
    )
    stored = await records.snapshots.progress(NOON)
    assert stored
    assert not stored.value.counted
    await records.snapshots.add_page(
        replace(stored, value=replace(stored.value, pages=2, cursor="")), parts[1]
    )

    stored = await records.snapshots.progress(NOON)
    assert stored
    assert stored.value == Progress(at=NOON, as_of=NOON, pages=2)
    assert stored.value.counted
    assert await records.snapshots.pages(stored.value) == parts


async def test_of_two_who_add_a_page_one_loses_and_adds_nothing(records: Register) -> None:
    first = Progress(at=NOON, as_of=NOON, pages=1, cursor="c")
    await records.snapshots.add_page(Stored(first), count_rows([row()], as_of=NOON))
    stored = await records.snapshots.progress(NOON)
    assert stored
    second = replace(stored, value=replace(first, pages=2, cursor="d"))
    kept = count_rows([row(team="kept")], as_of=NOON)
    await records.snapshots.add_page(second, kept)

    with pytest.raises(ConflictError):
        await records.snapshots.add_page(second, count_rows([row(team="lost")], as_of=NOON))
    with pytest.raises(ConflictError):
        await records.snapshots.add_page(Stored(first), count_rows([row()], as_of=NOON))

    pages = await records.snapshots.pages(replace(first, pages=2))
    assert pages[1] == kept


async def test_pages_that_are_being_cleared_are_not_taken_for_all(records: Register) -> None:
    progress = Progress(at=NOON, as_of=NOON, pages=1)
    await records.snapshots.add_page(Stored(progress), count_rows([row()], as_of=NOON))

    with pytest.raises(ConflictError):
        await records.snapshots.pages(replace(progress, pages=2))


async def test_hours_are_counted_apart_and_cleared_apart(records: Register) -> None:
    for at in (NOON, NOON + HOUR):
        await records.snapshots.add_page(
            Stored(Progress(at=at, as_of=at, pages=1)), count_rows([row()], as_of=at)
        )

    await records.snapshots.clear_progress(NOON)
    await records.snapshots.clear_progress(NOON)

    assert await records.snapshots.progress(NOON) is None
    assert await records.snapshots.progress(NOON + HOUR)


async def test_what_was_begun_long_ago_is_swept(records: Register) -> None:
    for at in (NOON, NOON + DAY):
        await records.snapshots.add_page(
            Stored(Progress(at=at, as_of=at, pages=1)), count_rows([row()], as_of=at)
        )

    await records.snapshots.sweep_progress(before=NOON + HOUR)

    assert await records.snapshots.progress(NOON) is None
    assert await records.snapshots.progress(NOON + DAY)


async def test_a_finished_snapshot_comes_back_whole(records: Register) -> None:
    made = snapshots(NOON, "pay", "web#1")

    await records.snapshots.keep(Grain.HOUR, made)
    await records.snapshots.keep(Grain.HOUR, made)

    assert [s.team for s in made] == ["pay", "web#1", ALL]
    assert [await records.snapshots.get(Grain.HOUR, NOON, team=s.team) for s in made] == made
    assert await records.snapshots.get(Grain.HOUR, NOON + HOUR) is None
    assert await records.snapshots.get(Grain.DAY, NOON) is None


async def test_a_team_called_all_is_not_the_fleet(records: Register) -> None:
    await records.snapshots.keep(Grain.HOUR, snapshots(NOON, "all", "pay"))

    team = await records.snapshots.newest(team="all")
    whole = await records.snapshots.newest()

    assert team
    assert whole
    assert (team.tally.count, whole.tally.count) == (1, 2)


async def test_of_one_day_the_first_snapshot_stays(records: Register) -> None:
    for at in (NOON, NOON + HOUR):
        await records.snapshots.keep(Grain.DAY, snapshots(at, "pay"))

    found = await records.snapshots.get(Grain.DAY, NOON + 11 * HOUR)

    assert found
    assert found.at == NOON


async def test_the_newest_is_the_one_of_the_latest_hour(records: Register) -> None:
    assert await records.snapshots.newest() is None
    for hours in (1, 3, 2):
        await records.snapshots.keep(Grain.HOUR, snapshots(NOON + hours * HOUR, "pay"))

    newest = await records.snapshots.newest()

    assert newest
    assert newest.at == NOON + 3 * HOUR


async def test_a_series_is_read_in_pages_newest_first(records: Register) -> None:
    for hours in range(5):
        await records.snapshots.keep(Grain.HOUR, snapshots(NOON + hours * HOUR, "pay"))
    span: Span = {"since": NOON + HOUR, "before": NOON + 4 * HOUR}

    first = await records.snapshots.series(Grain.HOUR, [Dimension.REGION], **span, limit=2)
    second = await records.snapshots.series(
        Grain.HOUR, [Dimension.REGION], **span, limit=2, cursor=first.cursor
    )

    assert [s.at for s in (*first.items, *second.items)] == [
        NOON + hours * HOUR for hours in (3, 2, 1)
    ]
    assert all(set(s.tally.by) == {Dimension.REGION} for s in first.items)
    assert first.items[0].tally.count == 1


async def test_a_cursor_of_another_series_is_refused(records: Register) -> None:
    for hours in range(3):
        await records.snapshots.keep(Grain.HOUR, snapshots(NOON + hours * HOUR, "pay"))
    page = await records.snapshots.series(Grain.HOUR, [], **FAR, limit=1)

    with pytest.raises(BadMessageError):
        await records.snapshots.series(Grain.HOUR, [], **FAR, team="pay", cursor=page.cursor)


async def test_a_series_of_days_counts_the_whole_first_day(records: Register) -> None:
    for days in range(3):
        await records.snapshots.keep(Grain.DAY, snapshots(NOON + days * DAY, "pay"))

    page = await records.snapshots.series(
        Grain.DAY, [], since=NOON + DAY + 3 * HOUR, before=NOON + 2 * DAY, team="pay"
    )

    assert [s.at for s in page.items] == [NOON + 2 * DAY, NOON + DAY]


async def test_old_snapshots_are_swept_of_all_scopes_a_few_at_a_time(records: Register) -> None:
    for hours in range(4):
        await records.snapshots.keep(Grain.HOUR, snapshots(NOON + hours * HOUR, "pay", "web"))
    await records.snapshots.keep(Grain.DAY, snapshots(NOON, "pay"))

    await records.snapshots.sweep(Grain.HOUR, before=NOON + 3 * HOUR, most=2)
    left = await records.snapshots.series(Grain.HOUR, [], **FAR)
    assert [s.at for s in left.items] == [NOON + 3 * HOUR, NOON]
    await records.snapshots.sweep(Grain.HOUR, before=NOON + 3 * HOUR, most=2)

    for team in (ALL, "pay", "web"):
        page = await records.snapshots.series(Grain.HOUR, [], **FAR, team=team)
        assert [s.at for s in page.items] == [NOON + 3 * HOUR], team
    assert await records.snapshots.get(Grain.DAY, NOON)


def wide(width: int, values: int = MAX_VALUES) -> Snapshot:
    """Return a snapshot whose values are as many as may be, and cannot be compressed."""
    dice = Random(1)  # noqa: S311 - not for secrets
    names = [f"{dice.getrandbits(4 * width):0{width}x}" for _ in range(values)]
    by = {d: {n: {v: dice.randrange(999) for v in Verdict} for n in names} for d in Dimension}
    return Snapshot(team=ALL, at=NOON, as_of=NOON, tally=Tally(count=values, by=by))


def test_the_largest_likely_snapshot_fits_with_all_its_values() -> None:
    """Every dimension has 2,000 names of 36 random characters, as subscriptions do."""
    made = snapshot_row(Grain.HOUR, wide(36))

    assert entity_bytes(made) < MAX_ENTITY_BYTES
    assert "by_region" in made


async def test_what_does_not_fit_is_told_apart_less_but_for_teams(records: Register) -> None:
    snapshot = wide(150)

    await records.snapshots.keep(Grain.HOUR, [snapshot])

    assert entity_bytes(snapshot_row(Grain.HOUR, snapshot)) < MAX_ENTITY_BYTES
    found = await records.snapshots.get(Grain.HOUR, NOON)
    assert found
    assert len(found.tally.by[Dimension.TEAM]) == MAX_VALUES
    total = sum(sum(v.values()) for v in snapshot.tally.by[Dimension.REGION].values())
    kept = found.tally.by[Dimension.REGION]
    assert sum(sum(v.values()) for v in kept.values()) == total
    if isinstance(records, Records):
        assert kept[OTHER]


def test_a_page_of_different_vms_fits_a_transaction() -> None:
    """5,000 VMs, each of a team, an image and a subscription of its own."""
    rows = [
        row(team=f"{n:036x}", definition="", image_id=f"/x/{n * 7919:060x}", subscription_id=str(n))
        for n in range(5000)
    ]

    made = page_rows("partial|x", 1, count_rows(rows, as_of=NOON))

    assert sum(entity_bytes(r) for r in made) < 2 * 1024 * 1024
    assert all(entity_bytes(r) <= ROW_BYTES + 4096 for r in made)


async def test_finished_snapshots_leave_no_page_behind(
    table_records: Records, open_table: OpenTable
) -> None:
    await table_records.snapshots.add_page(
        Stored(Progress(at=NOON, as_of=NOON, pages=1)), count_rows([row()], as_of=NOON)
    )
    await table_records.snapshots.keep(Grain.HOUR, snapshots(NOON, "pay"))

    await table_records.snapshots.clear_progress(NOON)

    found = [e["PartitionKey"] async for e in open_table("Snapshots").list_entities()]
    assert sorted(found) == ["hourly|all", "hourly|team|pay"]


EXPORT = Export(
    id="e1",
    what=ExportWhat.OVERDUE,
    form=ExportForm.CSV,
    wanted=VmFilter(team="pay", due_before=NOON, machines=(Machine.UNIFORM,)),
    as_of=NOON,
    created_at=NOON,
    expires_at=NOON + 7 * DAY,
)


async def test_an_export_is_kept_under_its_etag(records: Register) -> None:
    assert await records.exports.get("e1") is None
    stored = await records.exports.save(Stored(EXPORT))
    further = replace(EXPORT, pages=1, rows=7, size=900, cursor="c")

    await records.exports.save(replace(stored, value=further))

    found = await records.exports.get("e1")
    assert found
    assert found.value == further
    with pytest.raises(ConflictError):
        await records.exports.save(replace(stored, value=EXPORT))
    with pytest.raises(ConflictError):
        await records.exports.save(Stored(EXPORT))


async def test_exports_that_have_expired_are_listed_until_removed(records: Register) -> None:
    for number in range(3):
        expires_at = NOON + number * DAY
        await records.exports.save(Stored(replace(EXPORT, id=f"e{number}", expires_at=expires_at)))

    page = await records.exports.expired(now=NOON + DAY + HOUR, limit=1)
    assert page.cursor
    assert [e.id for e in page.items] == ["e0"]
    await records.exports.remove("e0")
    await records.exports.remove("e0")

    page = await records.exports.expired(now=NOON + DAY + HOUR, limit=5)
    assert [e.id for e in page.items] == ["e1"]
