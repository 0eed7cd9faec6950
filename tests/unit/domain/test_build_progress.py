"""What to do about a template, from what Azure says of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.build_progress import NextMove, Progress, read_progress
from shared.domain.failure import Failure, FailureClass

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FAILURE = Failure(failure_class=FailureClass.CUSTOMIZATION, message="exit status 1")


def progress(**said: Any) -> Progress:
    facts: dict[str, Any] = {
        "provisioning_state": "Succeeded", "provisioning_failure": None, "run_state": "",
        "run_sub_state": "", "run_failure": None, "run_requested_at": None,
    }  # fmt: skip
    return read_progress(**{**facts, **said}, patience=timedelta(minutes=3), now=NOW)


@pytest.mark.parametrize(
    ("said", "move"),
    [
        ({"provisioning_state": "Creating"}, NextMove.WAIT),
        ({"provisioning_state": "Updating"}, NextMove.WAIT),
        ({}, NextMove.RUN),
        ({"run_requested_at": NOW - timedelta(minutes=2)}, NextMove.WAIT),
        ({"run_requested_at": NOW - timedelta(minutes=3)}, NextMove.RUN),
        ({"run_state": "Running", "run_sub_state": "Customizing"}, NextMove.WAIT),
        ({"run_state": "Canceling"}, NextMove.WAIT),
        ({"run_state": "Succeeded"}, NextMove.COLLECT),
        ({"run_state": "PartiallySucceeded"}, NextMove.COLLECT),
        ({"run_state": "Failed", "run_failure": FAILURE}, NextMove.COLLECT),
        ({"run_state": "Canceled"}, NextMove.COLLECT),
        ({"provisioning_state": "Updating", "run_state": "Running"}, NextMove.WAIT),
        ({"provisioning_state": "Failed"}, NextMove.FAIL),
        ({"provisioning_state": "Failed", "provisioning_failure": FAILURE}, NextMove.FAIL),
    ],
)
def test_the_templates_words_decide(said: dict[str, Any], move: NextMove) -> None:
    assert progress(**said).move is move


def test_people_are_told_state_and_sub_state() -> None:
    assert progress(run_state="Running", run_sub_state="Building").words == "Running: Building"
    assert progress(provisioning_state="Creating").words == "template Creating"


def test_a_failure_is_handed_on_in_azures_words() -> None:
    failed = progress(provisioning_state="Failed", provisioning_failure=FAILURE)

    assert failed.failure == FAILURE
    assert progress(run_state="Failed", run_failure=FAILURE).failure == FAILURE


def test_a_template_that_fails_without_a_word_failed_as_a_service() -> None:
    silent = progress(provisioning_state="Failed").failure

    assert silent
    assert silent.failure_class is FailureClass.SERVICE
