"""Errors as HTTP problems (RFC 9457): what went wrong, and what to do about it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import ValidationError

from shared.errors import (
    AssayError,
    BadMessageError,
    ConflictError,
    DefinitionError,
    NotAllowedError,
    NotFoundError,
    PermanentError,
    RefusedError,
    RetryableError,
    SettingsError,
    ThrottledError,
)
from shared.web.exchange import ApiRequest, ApiResponse, Json

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:assay:problem:"
RETRY_AFTER = timedelta(seconds=10)
"""What a caller is asked to wait when Azure did not say for how long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem; *kind* is the last part of its `type`, *more* its extension members."""

    kind: str
    title: str
    status: int
    detail: str
    more: Json = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class ProblemError(PermanentError):
    """A handler cannot do what the request asks; *problem* is the answer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def unknown(what: str, detail: str, **more: object) -> ProblemError:
    """Return the error for a named thing that does not exist."""
    return ProblemError(
        Problem(
            kind=f"unknown-{what.lower()}", title=f"Unknown {what}", status=404,
            detail=detail, more=dict(more),
        )
    )  # fmt: skip


def conflict(kind: str, title: str, detail: str, **more: object) -> ProblemError:
    """Return the error for a request that the present state of things forbids."""
    return ProblemError(Problem(kind=kind, title=title, status=409, detail=detail, more=dict(more)))


def malformed(error: ValidationError, whole: str) -> ProblemError:
    """Return the error for a query or body that does not validate, naming each field.

    *whole* stands for a fault of no single field: `body` or `query`.
    """
    return bad_request(
        *(
            (".".join(map(str, e["loc"])) or whole, _WORDS.get(e["type"], e["msg"]))
            for e in error.errors(include_url=False, include_input=False)
        )
    )


def bad_request(*faults: tuple[str, str]) -> ProblemError:
    """Return the error for a request with *faults*: pairs of field and what is wrong with it."""
    return ProblemError(
        Problem(
            kind="malformed-request",
            title="Malformed request",
            status=400,
            detail="; ".join(f"{name}: {fault}" for name, fault in faults),
            more={"errors": [{"field": name, "problem": fault} for name, fault in faults]},
        )
    )


UNEXPECTED = Problem(
    kind="unexpected",
    title="Unexpected error",
    status=500,
    detail="Assay failed in a way it does not know; look up correlation_id in the app's log.",
)
"""The problem for an error nobody foresaw; it says nothing of the error itself."""

_WORDS = {
    "extra_forbidden": "there is no such field here",
    "json_invalid": "it must be JSON",
    "model_type": "it must be a JSON object",
}
"""What we say instead of pydantic, by its type of fault."""

_PERMANENT: tuple[tuple[type[PermanentError], str, str, int], ...] = (
    (BadMessageError, "malformed-request", "Malformed request", 400),
    (NotFoundError, "not-found", "Not found", 404),
    (RefusedError, "refused-by-azure", "Azure refuses", 502),
)


def problem_of(error: AssayError) -> Problem:
    """Return the problem that tells a caller about *error*."""
    if isinstance(error, ProblemError):
        return error.problem
    if isinstance(error, RetryableError):
        return _passing(error)
    if isinstance(error, SettingsError | DefinitionError):
        return Problem(
            kind="not-set-up", title="Assay is not set up", status=503,
            detail="Settings or image definitions are wrong; the app's log names every fault.",
        )  # fmt: skip
    if isinstance(error, NotAllowedError):
        return Problem(
            kind=error.kind, title="Not allowed now", status=409, detail=str(error),
            more={"present": error.state},
        )  # fmt: skip
    for kind, slug, title, status in _PERMANENT:
        if isinstance(error, kind):
            return Problem(kind=slug, title=title, status=status, detail=str(error))
    return UNEXPECTED


def _passing(error: RetryableError) -> Problem:
    kind, title, status = "unavailable", "Azure cannot answer now", 503
    if isinstance(error, ThrottledError):
        kind, title, status = "throttled", "Azure asks us to slow down", 429
    elif isinstance(error, ConflictError):
        kind, title, status = "conflict", "Changed meanwhile", 409
    wait = error.after if error.after is not None else RETRY_AFTER
    seconds = max(1, math.ceil(wait.total_seconds()))
    said = str(error).rstrip(".")
    return Problem(
        kind=kind, title=title, status=status, detail=f"{said}. Ask again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )  # fmt: skip


def to_response(problem: Problem, request: ApiRequest) -> ApiResponse:
    """Return *problem* as the answer to *request*."""
    return ApiResponse(
        status=problem.status,
        body={
            "type": TYPE_PREFIX + problem.kind,
            "title": problem.title,
            "status": problem.status,
            "detail": problem.detail,
            "instance": request.path,
            "correlation_id": request.correlation_id,
            **problem.more,
        },
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )
