"""The header `Idempotency-Key`: the first answer to a request is the answer to its repeats.

Whatever a POST asks for is done once by what it is, not by its key: a move finds that it was made.
So a crash after the move and before its answer is kept costs nothing: the repeat makes it again,
which changes nothing, and keeps the answer.
"""

import json
from http import HTTPStatus

from shared.domain.identifiers import digest
from shared.errors import NotAllowedError
from shared.ports import Receipt
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.handler import Handler
from shared.web.principal import caller
from shared.web.problems import Problem, ProblemError, problem_of, to_response
from shared.web.schema import read_idempotency_key

REPLAYED = "Idempotency-Replayed"
"""Header of an answer that was given before."""


async def once(request: ApiRequest, app: App, handler: Handler) -> ApiResponse:
    """Answer *request* with *handler*, or as the first request with its key was answered.

    Kept are answers that will not change by asking again: successes, and refusals for the state
    of things (409). Raises ProblemError (422) when the key came with another request before.
    """
    key = read_idempotency_key(request)
    if key is None:
        return await handler(request, app)
    name = "\n".join((request.method, request.path, caller(request, app), key))
    fingerprint = digest(json.dumps(dict(sorted(request.query.items()))), request.body.hex())
    kept = await app.receipts.get(name, now=app.now())
    if kept is not None:
        return _again(kept, fingerprint)
    response = await _answered(request, app, handler)
    receipt = Receipt(
        key=name,
        fingerprint=fingerprint,
        at=app.now(),
        status=response.status,
        body=response.body,
        headers=dict(response.headers),
        media_type=response.media_type,
    )
    first = await app.receipts.keep(receipt)
    return response if first == receipt else _again(first, fingerprint)


async def _answered(request: ApiRequest, app: App, handler: Handler) -> ApiResponse:
    try:
        return await handler(request, app)
    except (ProblemError, NotAllowedError) as error:
        problem = problem_of(error)
        if problem.status != HTTPStatus.CONFLICT:
            raise
        return to_response(problem, request)


def _again(receipt: Receipt, fingerprint: str) -> ApiResponse:
    if receipt.fingerprint != fingerprint:
        raise ProblemError(
            Problem(
                kind="key-reused",
                title="Idempotency key used for something else",
                status=422,
                detail="This Idempotency-Key came with another body or query within the last "
                "24 hours; send a new key with a new request.",
            )
        )
    return ApiResponse(
        status=receipt.status,
        body=receipt.body,
        headers={**receipt.headers, REPLAYED: "true"},
        media_type=receipt.media_type,
    )
