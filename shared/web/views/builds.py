"""Builds as the API answers them."""

from shared.domain.build import Attempt, Build
from shared.domain.failure import Failure
from shared.domain.verification import CheckResult, Verification
from shared.web.exchange import Json, Links
from shared.web.views.run_history import repair_report, run_history
from shared.web.views.values import history_view, instant, instant_or_none


def build_summary(build: Build, links: Links) -> Json:
    """Return a build as lists show it; *version* is the one its present attempt makes."""
    attempt = build.attempts[-1] if build.attempts else None
    return {
        "id": build.id,
        "definition": build.definition,
        "source_urn": build.source_urn,
        "source_version": build.source_version,
        "phase": build.phase.value,
        "finished": build.finished,
        "attempt": attempt.number if attempt else None,
        "version": attempt.version if attempt else None,
        "progress": build.waiting or (attempt.progress if attempt else "") or None,
        "requested_by": build.requested_by,
        "forced": build.forced,
        "created_at": instant(build.created_at),
        "updated_at": instant(build.updated_at),
        "url": links.to("builds", build.id),
    }


def build_view(build: Build, links: Links) -> Json:
    """Return everything about a build: each attempt, its checks and the history."""
    return {
        **build_summary(build, links),
        "customization_digest": build.customization_digest,
        "due": instant_or_none(build.due),
        "source_verification": _verification(build.source_verification)
        if build.source_verification
        else None,
        "attempts": [_attempt(build, a, links) for a in build.attempts],
        **repair_report(build),
        "history": history_view(build.history),
    }


def _attempt(build: Build, attempt: Attempt, links: Links) -> Json:
    verification, failure = attempt.verification, attempt.failure
    return {
        "number": attempt.number,
        "version": attempt.version,
        "version_url": links.to("images", build.definition, "versions", attempt.version),
        "template": attempt.template,
        "repairs": list(attempt.repairs),
        "started_at": instant(attempt.started_at),
        "run_requested_at": instant_or_none(attempt.run_requested_at),
        "ended_at": instant_or_none(attempt.ended_at),
        "progress": attempt.progress or None,
        **run_history(attempt),
        "failure": _failure(failure) if failure else None,
        "verification": _verification(verification) if verification else None,
    }


def _failure(failure: Failure) -> Json:
    return {"class": failure.failure_class.value, "message": failure.message}


def _verification(verification: Verification) -> Json:
    return {
        "vm": verification.vm_name,
        "stage": verification.stage.value,
        "started_at": instant(verification.started_at),
        "deadline": instant(verification.deadline),
        "results": [_result(r) for r in verification.results],
    }


def _result(result: CheckResult) -> Json:
    return {
        "check": result.name,
        "outcome": result.outcome.value,
        "severity": result.severity.value,
        "detail": result.detail or None,
        "seconds": result.seconds,
        "runs": result.runs,
    }
