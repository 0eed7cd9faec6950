"""Errors become problems that say what to do and never what is none of the caller's business."""

from datetime import timedelta

import pytest

from shared.errors import (
    AssayError,
    BadMessageError,
    ConflictError,
    DefinitionError,
    NotFoundError,
    PermanentError,
    RefusedError,
    SettingsError,
    ThrottledError,
    UnavailableError,
)
from shared.web.problems import problem_of, to_response, unknown
from tests.unit.web.samples import request


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (BadMessageError("no cursor of ours"), "malformed-request", 400),
        (NotFoundError("gone"), "not-found", 404),
        (ConflictError("lost the race"), "conflict", 409),
        (ThrottledError("slow down"), "throttled", 429),
        (RefusedError("no access"), "refused-by-azure", 502),
        (UnavailableError("blind"), "unavailable", 503),
        (SettingsError(["ASSAY_GALLERY is not set."]), "not-set-up", 503),
        (DefinitionError(["ubuntu.yaml:3: no source"]), "not-set-up", 503),
        (PermanentError("something of its own"), "unexpected", 500),
        (AssayError("something of its own"), "unexpected", 500),
    ],
)
def test_each_error_has_its_status(error: AssayError, kind: str, status: int) -> None:
    problem = problem_of(error)
    assert (problem.kind, problem.status) == (kind, status)


def test_what_may_pass_says_when_to_ask_again() -> None:
    asked_for = problem_of(ThrottledError("slow down.", after=timedelta(seconds=16.2)))
    assert asked_for.headers == {"Retry-After": "17"}
    assert asked_for.detail == "slow down. Ask again in 17 s."
    assert problem_of(UnavailableError("blind")).headers == {"Retry-After": "10"}
    at_once = problem_of(UnavailableError("blind", after=timedelta()))
    assert at_once.headers == {"Retry-After": "1"}


def test_a_set_up_fault_is_not_told_to_callers() -> None:
    assert "ASSAY_GALLERY" not in problem_of(SettingsError(["ASSAY_GALLERY is not set."])).detail


def test_a_problem_is_written_as_rfc_9457_says() -> None:
    problem = unknown("image", "There is no image 'x'.", known=["ubuntu"]).problem
    response = to_response(problem, request("images/x?limit=3"))
    assert response.media_type == "application/problem+json"
    assert response.status == 404
    assert response.body == {
        "type": "urn:assay:problem:unknown-image",
        "title": "Unknown image",
        "status": 404,
        "detail": "There is no image 'x'.",
        "instance": "/api/v1/images/x",
        "correlation_id": "c-1",
        "known": ["ubuntu"],
    }
