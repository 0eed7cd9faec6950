"""The newest word of Azure Policy per assignment, and their roll-up."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from shared.domain.policy import merge, roll_up
from shared.domain.vm_record import PolicyState

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def said(
    state: str, *, minute: int = 0, assignment: str = "a", deleted: bool = False
) -> PolicyState:
    return PolicyState(
        assignment_id=assignment,
        definition_id="d",
        reference_id="",
        state=state,
        timestamp=NOON + timedelta(minutes=minute),
        deleted=deleted,
    )


def test_the_newest_word_wins_in_whatever_order_they_come() -> None:
    words = [said("noncompliant"), said("compliant", minute=1), said("exempt", minute=2)]
    for order in permutations(words):
        held: tuple[PolicyState, ...] = ()
        for word in order:
            held = merge(held, word)
        assert held == (words[2],)


def test_an_older_word_changes_nothing() -> None:
    held = (said("compliant", minute=1),)
    assert merge(held, said("noncompliant")) is held


def test_a_repeated_word_changes_nothing() -> None:
    held = (said("compliant"),)
    assert merge(held, said("compliant")) is held


def test_a_late_word_does_not_undo_a_deletion() -> None:
    gone = merge((said("noncompliant"),), said("", minute=2, deleted=True))
    assert roll_up(merge(gone, said("noncompliant", minute=1))) == ""


def test_an_assignment_made_anew_speaks_again() -> None:
    gone = (said("", deleted=True),)
    assert roll_up(merge(gone, said("compliant", minute=1))) == "compliant"


@pytest.mark.parametrize(
    "words",
    [
        (said("compliant"), said("noncompliant")),
        (said("noncompliant"), said("compliant")),
    ],
)
def test_of_two_words_at_one_moment_the_stronger_wins_in_either_order(
    words: tuple[PolicyState, PolicyState],
) -> None:
    assert roll_up(merge(merge((), words[0]), words[1])) == "noncompliant"


def test_assignments_are_kept_apart() -> None:
    held = merge((said("compliant", assignment="b"),), said("exempt", assignment="a"))
    assert [s.assignment_id for s in held] == ["a", "b"]


@pytest.mark.parametrize(
    ("states", "rolled_up"),
    [
        ([], ""),
        (["compliant", "noncompliant"], "noncompliant"),
        (["Non-compliant", "exempt"], "noncompliant"),
        (["exempt", "error", "compliant"], "compliant"),
        (["conflict", "error"], "error"),
        (["protected", "conflicting"], "conflicting"),
        (["exempt", "protected"], "protected"),
        (["unknown", "exempted"], "exempt"),
        (["something new"], "unknown"),
    ],
)
def test_the_roll_up_is_the_strongest_state(states: list[str], rolled_up: str) -> None:
    assert roll_up(said(s, assignment=s) for s in states) == rolled_up
