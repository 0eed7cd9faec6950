"""The fleet in numbers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.fleet_row import FleetRow
from shared.domain.snapshot import (
    ALL,
    MAX_VALUES,
    Dimension,
    Tally,
    bounded,
    count_rows,
    finish,
    fold,
    merge,
)
from shared.domain.vm_record import Verdict

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def row(**changes: object) -> FleetRow:
    facts: dict[str, object] = {
        "team": "pay",
        "definition": "ubuntu",
        "image_id": "/ubuntu",
        "version": "1.20261101.1",
        "verdict": "current",
        "kind": "pet",
        "machine": "vm",
        "region": "westeurope",
        "subscription_id": "s1",
        "policy": "compliant",
        "created_at": NOON - 10 * DAY,
        "image_published_at": NOON - 21 * DAY,
        "due_at": None,
    }
    return FleetRow(**{**facts, **changes})  # type: ignore[arg-type]


def test_a_vm_is_counted_by_every_dimension_with_its_verdict() -> None:
    part = count_rows([row()], as_of=NOON)

    one = {Verdict.CURRENT: 1}
    by_own = {
        Dimension.IMAGE: {"ubuntu": one},
        Dimension.VERSION: {"ubuntu/1.20261101.1": one},
        Dimension.VERDICT: {"current": one},
        Dimension.KIND: {"pet": one},
        Dimension.REGION: {"westeurope": one},
        Dimension.SUBSCRIPTION: {"s1": one},
        Dimension.POLICY: {"compliant": one},
        Dimension.MACHINE: {"vm": one},
    }
    assert part["pay"].by == by_own
    assert part[ALL].by == {**by_own, Dimension.TEAM: {"pay": one}}


def test_a_foreign_image_counts_under_its_id_and_has_no_version() -> None:
    part = count_rows(
        [row(definition="", image_id="canonical:a:b", verdict="unapproved", policy="")], as_of=NOON
    )

    tally = part[ALL]
    assert tally.by[Dimension.IMAGE] == {"canonical:a:b": {Verdict.UNAPPROVED: 1}}
    assert Dimension.VERSION not in tally.by
    assert tally.by[Dimension.POLICY] == {"(none)": {Verdict.UNAPPROVED: 1}}


def test_means_are_over_all_vms_and_over_those_with_a_golden_image() -> None:
    rows = [
        row(),
        row(created_at=NOON - 20 * DAY, image_published_at=NOON - DAY),
        row(created_at=NOON - 30 * DAY, definition="", image_published_at=None),
    ]

    tally = count_rows(rows, as_of=NOON)[ALL]

    assert (tally.count, tally.golden) == (3, 2)
    assert tally.mean_age == 20 * DAY
    assert tally.mean_image_age == 11 * DAY


def test_an_empty_fleet_has_no_means() -> None:
    assert (Tally().mean_age, Tally().mean_image_age) == (None, None)


def test_a_vm_made_while_the_counting_goes_on_is_no_younger_than_none() -> None:
    assert count_rows([row(created_at=NOON + DAY)], as_of=NOON)[ALL].age_minutes == 0


@pytest.mark.parametrize(
    ("due_at", "overdue"), [(None, 0), (NOON, 0), (NOON - timedelta(seconds=1), 1), (NOON + DAY, 0)]
)
def test_overdue_is_what_was_due_before_the_counting(due_at: datetime | None, overdue: int) -> None:
    assert count_rows([row(due_at=due_at)], as_of=NOON)[ALL].overdue == overdue


ROWS = st.builds(
    row,
    team=st.sampled_from(["pay", "web", "unassigned"]),
    definition=st.sampled_from(["ubuntu", "windows", ""]),
    version=st.sampled_from(["1.1.1", "1.1.2", ""]),
    verdict=st.sampled_from([str(v) for v in Verdict]),
    region=st.sampled_from(["a", "b"]),
    created_at=st.integers(0, 10**6).map(lambda m: NOON - timedelta(minutes=m)),
    image_published_at=st.none() | st.integers(0, 10**6).map(lambda m: NOON - timedelta(minutes=m)),
    due_at=st.none() | st.sampled_from([NOON - DAY, NOON + DAY]),
)


@given(st.lists(st.lists(ROWS, max_size=8), max_size=8))
def test_merging_parts_gives_what_counting_at_once_gives(pages: list[list[FleetRow]]) -> None:
    at_once = count_rows([r for page in pages for r in page], as_of=NOON)

    assert merge(count_rows(page, as_of=NOON) for page in pages) == at_once


@given(st.lists(ROWS, max_size=8), st.lists(ROWS, max_size=8), st.lists(ROWS, max_size=8))
def test_it_does_not_matter_which_parts_are_merged_first(
    first: list[FleetRow], second: list[FleetRow], third: list[FleetRow]
) -> None:
    a, b, c = (count_rows(rows, as_of=NOON) for rows in (first, second, third))

    assert merge([merge([a, b]), c]) == merge([a, merge([b, c])])
    assert merge([a, b]) == merge([b, a])


def test_the_values_with_the_most_vms_keep_their_names() -> None:
    counts = {
        "a": {Verdict.AGED: 1},
        "b": {Verdict.AGED: 5, Verdict.CURRENT: 1},
        "c": {Verdict.CURRENT: 2},
        "d": {Verdict.CURRENT: 2},
    }

    assert bounded(counts, 2) == {
        "b": counts["b"],
        "c": counts["c"],
        "(other)": {Verdict.AGED: 1, Verdict.CURRENT: 2},
    }
    assert bounded(counts, 4) == counts


def test_what_was_other_before_stays_other() -> None:
    counts = {"a": {Verdict.AGED: 1}, "(other)": {Verdict.AGED: 9}}

    assert fold(counts, ["(other)"]) == {"(other)": {Verdict.AGED: 10}}
    assert bounded(counts, 1) == counts


def test_a_finished_snapshot_is_bounded_and_loses_nobody() -> None:
    rows = [row(team=f"team-{n:05d}", region=f"region-{n}") for n in range(MAX_VALUES + 5)]

    *teams, whole = finish(count_rows(rows, as_of=NOON), at=NOON, as_of=NOON)

    assert len(teams) == MAX_VALUES
    assert whole.team == ALL
    assert len(whole.tally.by[Dimension.REGION]) == MAX_VALUES + 1
    assert whole.tally.total(Dimension.REGION, "(other)") == 5
    assert whole.tally.total(Dimension.TEAM, "(other)") == 5
    assert whole.tally.count == MAX_VALUES + 5


def test_a_fleet_without_vms_has_a_snapshot_too() -> None:
    (whole,) = finish({}, at=NOON, as_of=NOON)

    assert whole.tally == Tally()
