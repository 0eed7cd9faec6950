"""What Table Storage answers when it does not do it, and what that means to us.

A server on this machine gives the answers, so the real client reads them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from shared.errors import (
    AssayError,
    ConflictError,
    NotReadyError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)
from shared.ports import Stored, VmEntry
from shared.records.records import Records
from shared.settings import Storage
from tests.contract.records.samples import a_build, a_source, a_state


class Answers:
    """The server's next answer: status, error code and headers."""

    def __init__(self) -> None:
        self.status = 200
        self.code = ""
        self.headers: dict[str, str] = {}

    async def handle(self, request: web.Request) -> web.Response:
        if request.path.endswith("/Tables"):
            return web.Response(status=204)
        said = {"lang": "en-US", "value": f"{self.code} happened\nRequestId:1"}
        body = {"odata.error": {"code": self.code, "message": said}}
        return web.json_response(body, status=self.status, headers=self.headers)


@pytest_asyncio.fixture
async def served() -> AsyncIterator[tuple[Records, Answers]]:
    answers = Answers()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answers.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        endpoint = f"TableEndpoint=http://127.0.0.1:{server.port}/account"
        storage = Storage(connection_string=f"AccountName=account;AccountKey=a2V5;{endpoint}")
        records = Records(storage, retry_total=0)
        yield records, answers
        await records.close()


ENTRY = VmEntry(key="k", policy_states=(a_state(),))
ACTS: list[Callable[[Records], Awaitable[object]]] = [
    lambda records: records.builds.get("b"),
    lambda records: records.image_versions.list("d"),
    lambda records: records.parked.list(),
    lambda records: records.vms.get("k"),
    lambda records: records.parked.remove("m"),
    lambda records: records.ping(),
    lambda records: records.builds.save(Stored(a_build())),
    lambda records: records.sources.save(Stored(a_source(), etag="W/1")),
    lambda records: records.vms.save(Stored(VmEntry(key="k")), ENTRY),
]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (409, "EntityAlreadyExists", ConflictError),
        (412, "UpdateConditionNotSatisfied", ConflictError),
        (409, "TableBeingDeleted", UnavailableError),
        (429, "TooManyRequests", ThrottledError),
        (503, "ServerBusy", ThrottledError),
        (500, "InternalError", UnavailableError),
        (500, "OperationTimedOut", UnavailableError),
        (504, "GatewayTimeout", UnavailableError),
        (408, "RequestTimeout", UnavailableError),
        (403, "AuthorizationPermissionMismatch", NotReadyError),
        (401, "InvalidAuthenticationInfo", NotReadyError),
        (400, "InvalidInput", RefusedError),
        (413, "RequestBodyTooLarge", RefusedError),
    ],
)
async def test_answers_mean_what_they_say(
    served: tuple[Records, Answers],
    act: Callable[[Records], Awaitable[object]],
    status: int,
    code: str,
    expected: type[AssayError],
) -> None:
    records, answers = served
    answers.status, answers.code = status, code
    with pytest.raises(AssayError) as caught:
        await act(records)
    assert type(caught.value) is expected
    assert f"{code} happened" in str(caught.value)
    assert "RequestId" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "after"),
    [({"Retry-After": "17"}, timedelta(seconds=17)), ({}, None), ({"Retry-After": "soon"}, None)],
)
async def test_how_long_to_wait_is_handed_on(
    served: tuple[Records, Answers], headers: dict[str, str], after: timedelta | None
) -> None:
    records, answers = served
    answers.status, answers.code, answers.headers = 503, "ServerBusy", headers
    with pytest.raises(ThrottledError) as caught:
        await records.builds.get("b")
    assert caught.value.after == after


async def test_nobody_listening_is_unavailable() -> None:
    endpoint = "TableEndpoint=http://127.0.0.1:9/account"
    storage = Storage(connection_string=f"AccountName=account;AccountKey=a2V5;{endpoint}")
    records = Records(storage, retry_total=0)
    with pytest.raises(UnavailableError, match="cannot be reached for table Builds"):
        await records.ping()
    await records.close()


class NoIdentity:
    """A credential that gets no token."""

    async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        raise ClientAuthenticationError(message="the identity endpoint does not answer")

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        pass


async def test_an_identity_without_token_may_get_one_later() -> None:
    storage = Storage(table_uri="https://account.table.core.windows.net")
    records = Records(storage, NoIdentity(), retry_total=0)
    with pytest.raises(UnavailableError, match="the identity endpoint does not answer"):
        await records.ping()
    await records.close()
