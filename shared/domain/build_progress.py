"""What to do about an Image Builder template, from what Azure says of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.failure import Failure, FailureClass


class NextMove(StrEnum):
    """What the watcher does next."""

    WAIT = "wait"
    RUN = "run"
    """The template is ready: ask for the run."""
    COLLECT = "collect"
    """The run ended; see what it distributed."""
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The next move, a word for people, and the failure where there is one."""

    move: NextMove
    words: str
    failure: Failure | None = None


_ENDED = {"succeeded", "failed", "partiallysucceeded", "canceled"}


def read_progress(
    *,
    provisioning_state: str,
    provisioning_failure: Failure | None,
    run_state: str,
    run_sub_state: str,
    run_failure: Failure | None,
    run_requested_at: datetime | None,
    patience: timedelta,
    now: datetime,
) -> Progress:
    """Decide from a template's own words; *patience* is the time a run has to show itself.

    Image Builder answers 504 to a run it did start, so the run is asked for again only when the
    template shows none for *patience*. A run that ended in any way is collected: a failed run may
    still have distributed its version, as when replication outlives the build timeout.
    """
    words = f"{run_state}: {run_sub_state}" if run_sub_state else run_state
    if provisioning_state.lower() == "failed":
        failure = provisioning_failure or Failure(
            failure_class=FailureClass.SERVICE, message="the template failed and does not say why"
        )
        return Progress(move=NextMove.FAIL, words="template failed", failure=failure)
    if provisioning_state.lower() != "succeeded" and not run_state:
        return Progress(move=NextMove.WAIT, words=f"template {provisioning_state}")
    if run_state.lower() in _ENDED:
        return Progress(move=NextMove.COLLECT, words=words, failure=run_failure)
    if run_state:
        return Progress(move=NextMove.WAIT, words=words)
    if run_requested_at is None or now >= run_requested_at + patience:
        return Progress(move=NextMove.RUN, words="run requested")
    return Progress(move=NextMove.WAIT, words="run requested")
