"""A build counts turns, so that repeats never multiply."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.build import ALLOWED, FINISHED, Attempt, Build, Phase
from shared.domain.turns import Admission

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def build(*, phase: Phase = Phase.BUILDING, turn: int = 5) -> Build:
    return Build(
        id="ubuntu-22-04-abc",
        definition="ubuntu-22-04",
        image_id="/images/ubuntu-22-04",
        source_urn="p:o:s",
        source_version="1.2.3",
        customization_digest="d",
        requested_by="http",
        forced=False,
        created_at=NOW,
        updated_at=NOW,
        phase=phase,
        turn=turn,
    )


def attempt(number: int) -> Attempt:
    return Attempt(number=number, version=f"1.20261122.{number}", template="t", started_at=NOW)


@pytest.mark.parametrize(
    ("turn", "guard", "expected"),
    [
        (5, False, Admission.ACT),
        (5, True, Admission.ACT),
        (4, False, Admission.GUARD),
        (4, True, Admission.RESEND),
        (3, False, Admission.DROP),
        (3, True, Admission.DROP),
        (0, False, Admission.DROP),
    ],
)
def test_the_turn_decides_what_a_delivery_may_do(
    turn: int, guard: bool, expected: Admission
) -> None:
    assert build().admit(turn, guard=guard) is expected


@pytest.mark.parametrize("phase", sorted(FINISHED))
def test_the_last_turn_of_a_finished_build_says_the_last_words_again(phase: Phase) -> None:
    finished = build(phase=phase)

    assert finished.admit(4, guard=False) is Admission.RESEND
    assert finished.admit(3, guard=False) is Admission.DROP
    assert finished.admit(5, guard=False) is Admission.DROP


def test_every_turn_saves_when_the_next_is_due() -> None:
    after = build().next(Phase.BUILDING, now=NOW, wait=timedelta(minutes=1))

    assert after.turn == 6
    assert after.due == NOW + timedelta(minutes=1)
    assert after.history == ()


def test_a_change_of_phase_is_a_line_of_history() -> None:
    after = build().next(Phase.TATTOOING, now=NOW, because="distributed")

    assert [(t.old, t.new, t.because) for t in after.history] == [
        ("building", "tattooing", "distributed")
    ]
    assert after.due is None


def test_a_new_attempt_is_added_and_the_present_one_replaced() -> None:
    first = build(phase=Phase.QUEUED).next(Phase.BUILDING, now=NOW, attempt=attempt(1))
    again = first.next(Phase.BUILDING, now=NOW, attempt=attempt(1))
    queued = again.next(Phase.REPAIRING, now=NOW).next(Phase.QUEUED, now=NOW, repairs=("r",))
    second = queued.next(Phase.BUILDING, now=NOW, attempt=attempt(2))

    assert [a.number for a in again.attempts] == [1]
    assert [a.number for a in second.attempts] == [1, 2]
    assert second.repairs == ("r",)


def test_a_phase_cannot_be_skipped() -> None:
    with pytest.raises(ValueError, match="is building and cannot go to released"):
        build().next(Phase.RELEASED, now=NOW)


def test_every_phase_in_flight_can_fail_and_none_follows_a_finished_one() -> None:
    assert {p for p in Phase if not ALLOWED[p]} == {
        Phase.RELEASED, Phase.REJECTED, Phase.FAILED, Phase.CANCELLED,
    }  # fmt: skip
    assert all(Phase.FAILED in ALLOWED[p] for p in Phase if p not in FINISHED)


def test_a_build_without_an_attempt_says_so() -> None:
    with pytest.raises(ValueError, match="has no attempt yet"):
        _ = build().attempt
