"""Words of Azure Policy under clocks that do not agree, and how old they may grow."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from shared.domain.policy import AHEAD, hear, is_exempt, is_stale, merge, roll_up, same_word
from shared.domain.vm_record import PolicyState

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def said(state: str, at: timedelta = timedelta(), **more: object) -> PolicyState:
    word = PolicyState(
        assignment_id="a", definition_id="d", reference_id="", state=state, timestamp=NOON + at
    )
    return replace(word, **more)  # type: ignore[arg-type]


def test_a_time_a_little_ahead_is_believed() -> None:
    assert hear((), said("compliant", AHEAD), now=NOON)[0].timestamp == NOON + AHEAD


def test_a_word_from_the_future_counts_as_one_of_now() -> None:
    assert hear((), said("compliant", AHEAD + SECOND), now=NOON)[0].timestamp == NOON


def test_a_word_from_the_future_does_not_hold_back_what_is_evaluated_later() -> None:
    held = hear((), said("noncompliant", timedelta(days=365)), now=NOON)
    held = hear(held, said("compliant", SECOND), now=NOON + timedelta(hours=1))
    assert roll_up(held) == "compliant"


def test_a_word_from_the_future_that_comes_again_changes_nothing() -> None:
    future = said("noncompliant", timedelta(days=365))
    held = hear((), future, now=NOON)
    assert hear(held, future, now=NOON + timedelta(hours=1)) is held


def test_a_time_in_the_future_that_is_held_already_gives_way_to_any_word() -> None:
    held = (said("noncompliant", timedelta(days=365)),)
    earlier = said("compliant", -timedelta(hours=1))
    assert hear(held, earlier, now=NOON) == (earlier,)
    again = hear(held, said("noncompliant", timedelta(days=365)), now=NOON)
    assert again == (said("noncompliant"),)


def test_other_states_are_left_alone_by_a_word_from_the_future() -> None:
    other = said("exempt", assignment_id="b")
    held = hear((other,), said("compliant", timedelta(days=1)), now=NOON)
    assert held == (said("compliant"), other)


def test_of_two_words_of_one_time_and_strength_the_same_wins_in_either_order() -> None:
    words = [
        said("exempt", reason_code="a"),
        said("exempt", reason_code="b"),
        said("exempt", definition_id="e", reference_id="r"),
        said("exempt", definition_id="f", reference_id="r"),
        said("odd"),
        said("unknown"),
        said("compliant"),
        said("", deleted=True),
    ]
    ends = set()
    for order in permutations(words, 4):
        held: tuple[PolicyState, ...] = ()
        for word in order:
            held = merge(held, word)
        ends.add((frozenset(order), held))
    assert len(ends) == len({words for words, _ in ends})


def test_the_states_of_a_guest_configuration_stand_beside_those_of_the_vm() -> None:
    held = merge((said("noncompliant"),), said("compliant", SECOND, about="gc"))
    assert [(s.about, s.state) for s in held] == [("", "noncompliant"), ("gc", "compliant")]


def test_words_are_the_same_whenever_they_were_evaluated() -> None:
    assert same_word(said("compliant"), said("compliant", SECOND))
    assert not same_word(said("exempt"), said("exempt", SECOND, reason_code="Waiver"))


@pytest.mark.parametrize(
    ("state", "exempt"),
    [
        (said("exempt"), True),
        (said("Exempted"), True),
        (said("exempt", deleted=True), False),
        (said("compliant"), False),
    ],
)
def test_exempt_is_what_azure_calls_so_and_has_not_removed(
    state: PolicyState, exempt: bool
) -> None:
    assert is_exempt(state) is exempt


@pytest.mark.parametrize(
    ("evaluated", "stale"),
    [
        (None, False),
        (NOON, False),
        (NOON - timedelta(hours=48), False),
        (NOON - timedelta(hours=48) - SECOND, True),
        (NOON + timedelta(days=9), False),
    ],
)
def test_an_evaluation_is_stale_when_it_is_older_than_is_asked(
    evaluated: datetime | None, stale: bool
) -> None:
    assert is_stale(evaluated, now=NOON, after=timedelta(hours=48)) is stale
