"""What an attempt went through, and what its repairs did, as the API answers them."""

from shared.domain.build import Attempt, Build
from shared.domain.repair_report import Trial, suggestions, trials
from shared.web.exchange import Json
from shared.web.views.values import instant, instant_or_none


def run_history(attempt: Attempt) -> Json:
    """Return the steps of an attempt with times, Image Builder's messages, and its logs."""
    logs = attempt.logs
    return {
        "timeout_minutes": attempt.timeout_minutes or None,
        "steps": [
            {"name": s.name, "since": instant(s.since), "until": instant_or_none(s.until)}
            for s in attempt.spans
        ],
        "messages": [{"at": instant(r.at), "text": r.text} for r in attempt.remarks],
        "logs": {
            "location": logs.location or None,
            "files": list(logs.files),
            "problem": logs.problem or None,
            "at": instant(logs.at),
        }
        if logs
        else None,
        "left_behind": attempt.left_behind or None,
    }


def repair_report(build: Build) -> Json:
    """Return which repair was tried for what, whether it helped, and what that suggests."""
    return {
        "repairs": [_trial(t) for t in trials(build)],
        "suggestions": suggestions(build),
    }


def _trial(trial: Trial) -> Json:
    return {
        "attempt": trial.attempt,
        "repair": trial.repair,
        "check": trial.check,
        "effect": trial.effect.value,
    }
