"""What a page tells of, which deliveries act, and how a sweep ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from shared.domain.build import Admission
from shared.domain.subscription import Subscription
from shared.domain.sweep import (
    NOT_SHOWN,
    STALLED,
    Sweep,
    SweepBatch,
    SweepOutcome,
    Tally,
    Tile,
    hidden,
    how_it_ended,
    is_stalled,
    shown,
    tiles,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SWEEP = Sweep(id="s", asked_by="timer", began_at=NOON)
BATCH = SweepBatch(
    sweep_id="s", number=0, subscriptions=("a", "b"), first=(), began_at=NOON, moved_at=NOON
)


def vm(subscription: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourcegroups/rg/x/{name}"


def test_the_only_page_tells_of_everything() -> None:
    laid = tiles(("b", "a"), after="", up_to="")

    assert laid == [Tile(subscription_id="a"), Tile(subscription_id="b")]


def test_a_page_tells_of_what_lies_between_the_page_before_and_its_own_last_row() -> None:
    laid = tiles(("a", "b"), after=vm("a", "1"), up_to=vm("a", "5"))

    assert laid == [Tile(subscription_id="a", after=vm("a", "1"), up_to=vm("a", "5"))]


def test_a_page_that_spans_subscriptions_closes_those_it_has_passed() -> None:
    laid = tiles(("a", "b", "c", "d"), after=vm("a", "1"), up_to=vm("c", "5"))

    assert laid == [
        Tile(subscription_id="a", after=vm("a", "1")),
        Tile(subscription_id="b"),
        Tile(subscription_id="c", up_to=vm("c", "5")),
    ]


def test_the_last_page_tells_of_all_that_follows() -> None:
    laid = tiles(("a", "b", "c"), after=vm("b", "3"), up_to="")

    assert laid == [
        Tile(subscription_id="b", after=vm("b", "3")),
        Tile(subscription_id="c"),
    ]


@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_pages_together_tell_of_every_id_once(cut: int) -> None:
    subscriptions = ("a", "b", "c", "d")
    ids = [vm(s, str(n)) for s in ("a", "c", "d") for n in range(4)]
    bounds = ["", *ids[cut - 1 :: cut][:-1], ""]
    for wanted in [*ids, vm("b", "x"), vm("a", "00"), vm("d", "9")]:
        told = [
            tile
            for after, up_to in pairwise(bounds)
            for tile in tiles(subscriptions, after=after, up_to=up_to)
            if wanted.startswith(f"/subscriptions/{tile.subscription_id}/")
            and wanted > tile.after
            and (not tile.up_to or wanted <= tile.up_to)
        ]
        assert len(told) == 1, wanted


def test_the_present_turn_acts_and_a_repeat_comes_back_once() -> None:
    batch = replace(BATCH, turn=3)

    assert batch.admit(3, guard=False) is Admission.ACT
    assert batch.admit(2, guard=False) is Admission.GUARD
    assert batch.admit(2, guard=True) is Admission.RESEND
    assert batch.admit(1, guard=True) is Admission.DROP


def test_an_ended_batch_takes_no_turn() -> None:
    ended = BATCH.end(SweepOutcome.ABANDONED, why="lost", now=NOON)

    assert ended.admit(0, guard=False) is Admission.DROP
    assert (ended.running, ended.why, ended.ended_at) == (False, "lost", NOON)


def test_pages_add_up_and_rows_count_anew_after_a_restart() -> None:
    later = NOON + timedelta(minutes=1)
    batch = BATCH.took(Tally(rows=2, unchanged=1, first_seen=1), begins=True, now=NOON)
    batch = batch.took(Tally(rows=3, unchanged=3), begins=False, now=later)
    assert (batch.turn, batch.pages, batch.moved_at) == (2, 2, later)
    assert batch.tally == Tally(rows=5, unchanged=4, first_seen=1)

    batch = batch.begin_again(now=later)
    assert (batch.turn, batch.restarts) == (3, 1)
    batch = batch.took(Tally(rows=2, unchanged=2), begins=True, now=later)
    assert batch.tally == Tally(rows=2, unchanged=2, first_seen=1)


def test_a_sweep_is_stalled_when_no_batch_has_moved_for_hours() -> None:
    moved = replace(BATCH, moved_at=NOON + timedelta(hours=1))

    assert not is_stalled(SWEEP, [], now=NOON + STALLED)
    assert is_stalled(SWEEP, [], now=NOON + STALLED + timedelta(seconds=1))
    assert not is_stalled(SWEEP, [BATCH, moved], now=NOON + STALLED + timedelta(hours=1))


def test_a_sweep_ends_with_its_last_batch() -> None:
    done = BATCH.end(SweepOutcome.DONE, now=NOON)
    failed = BATCH.end(SweepOutcome.FAILED, why="no token", now=NOON)

    assert how_it_ended([done, BATCH]) is None
    assert how_it_ended([done, done]) == (SweepOutcome.DONE, "")
    assert how_it_ended([done, failed]) == (
        SweepOutcome.FAILED,
        "1 of 2 batches ended early: no token",
    )


def test_a_subscription_shown_again_loses_that_problem_and_no_other() -> None:
    known = Subscription(subscription_id="a", management_groups=("old",))
    away = hidden(known, now=NOON)
    refused = known.troubled("Azure did not read it and said 403", now=NOON)

    assert (away.problem, away.problem_since) == (NOT_SHOWN, NOON)
    assert hidden(away, now=NOON + timedelta(days=1)) == away
    assert shown(away, ("new",)) == replace(known, management_groups=("new",))
    assert shown(refused, ("new",)) == replace(refused, management_groups=("new",))
