"""Which histories are too long."""

from datetime import timedelta

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.history_retention import SLACK, overdue_for_trimming
from tests.unit.domain.pasts import NOON, a_record

POLICY = FleetPolicy(history_kept=timedelta(days=100))
CUT = NOON - timedelta(days=100, hours=12)
"""A hundred days before the beginning of this day."""
SECOND = timedelta(seconds=1)


def is_overdue(**changes: object) -> bool:
    return overdue_for_trimming([a_record(**changes)], POLICY, NOON) == ["1.abc"]


def test_a_history_is_too_long_a_month_after_it_should_have_been_cut() -> None:
    assert not is_overdue(first_seen_at=CUT - SLACK)
    assert is_overdue(first_seen_at=CUT - SLACK - SECOND)


def test_a_history_that_was_cut_lately_is_left_alone() -> None:
    old = NOON - timedelta(days=1000)
    assert not is_overdue(first_seen_at=old, history_from=CUT - SLACK)
    assert is_overdue(first_seen_at=old, history_from=CUT - SLACK - SECOND)


def test_a_vm_deleted_longer_ago_than_history_is_kept_is_overdue_at_once() -> None:
    assert not is_overdue(first_seen_at=CUT - SLACK, deleted_at=CUT)
    assert is_overdue(first_seen_at=CUT - SLACK, deleted_at=CUT - SECOND)


def test_only_the_overdue_ones_are_named_in_their_order() -> None:
    old = CUT - SLACK - SECOND
    records = [
        a_record(key=key, first_seen_at=seen)
        for key, seen in (("1.c", old), ("1.b", NOON), ("1.a", old))
    ]
    assert overdue_for_trimming(records, POLICY, NOON) == ["1.c", "1.a"]
