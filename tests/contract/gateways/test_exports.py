"""The files of exports: in memory, and in Blob Storage (the emulator)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import aiohttp
import pytest
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse, HttpRequest
from azure.storage.blob.aio import BlobServiceClient

from localcloud.azurite import Azurite
from shared.errors import ConflictError, RefusedError
from shared.gateways.exports import BlobExportFiles
from shared.ports import ExportFiles, ExportForm, FileState, PageMark
from shared.settings import Storage, settings_from_environ
from tests.arm_plugin import FixedToken
from tests.fakes.exports import FakeExportFiles
from tests.settings import APP_ENVIRON

SETTINGS = settings_from_environ(APP_ENVIRON)
CSV = ExportForm.CSV


@pytest.fixture
async def blob_files(azurite: Azurite) -> AsyncIterator[BlobExportFiles]:
    storage = Storage(connection_string=azurite.connection_string)
    gateway = BlobExportFiles(replace(SETTINGS, storage=storage), FixedToken())
    yield gateway
    await gateway.close()


@pytest.fixture(params=["fake", "Azurite"])
def files(request: pytest.FixtureRequest) -> ExportFiles:
    if request.param == "fake":
        return FakeExportFiles()
    gateway: ExportFiles = request.getfixturevalue("blob_files")
    return gateway


@pytest.fixture
def name() -> str:
    return f"{uuid4().hex}.csv"


def mark(page: int, size: int, *, cursor: str = "c") -> PageMark:
    return PageMark(page=page, rows=size, size=size, cursor=cursor)


async def test_a_file_nobody_wrote_is_empty(files: ExportFiles, name: str) -> None:
    assert await files.look(name) == FileState()


async def test_pages_are_appended_and_the_last_one_is_marked(files: ExportFiles, name: str) -> None:
    first, last = mark(0, 3), mark(1, 5, cursor="")

    await files.append(name, b"abc", seen=await files.look(name), mark=first, form=CSV)
    seen = await files.look(name)
    assert (seen.size, seen.mark) == (3, first)
    await files.append(name, b"de", seen=seen, mark=last, form=CSV)

    seen = await files.look(name)
    assert (seen.size, seen.mark) == (5, last)


async def test_a_page_without_rows_leaves_its_mark(files: ExportFiles, name: str) -> None:
    await files.append(name, b"", seen=FileState(), mark=mark(0, 0), form=CSV)

    seen = await files.look(name)
    assert (seen.size, seen.mark) == (0, mark(0, 0))


async def test_who_saw_an_older_file_appends_nothing(files: ExportFiles, name: str) -> None:
    await files.append(name, b"abc", seen=FileState(), mark=mark(0, 3), form=CSV)
    seen = await files.look(name)
    await files.append(name, b"de", seen=seen, mark=mark(1, 5), form=CSV)

    for outdated in (seen, FileState()):
        with pytest.raises(ConflictError):
            await files.append(name, b"xyz", seen=outdated, mark=mark(1, 6), form=CSV)

    seen = await files.look(name)
    assert (seen.size, seen.mark) == (5, mark(1, 5))


async def test_a_removed_file_is_gone(files: ExportFiles, name: str) -> None:
    await files.append(name, b"abc", seen=FileState(), mark=mark(0, 3), form=CSV)

    await files.remove(name)
    await files.remove(name)

    assert await files.look(name) == FileState()


async def test_whoever_marks_later_keeps_the_other_from_appending(
    blob_files: BlobExportFiles, name: str, azurite: Azurite
) -> None:
    """One delivery has marked and is slow; the other marks anew, then both append."""
    await blob_files.append(name, b"abc", seen=FileState(), mark=mark(0, 3), form=CSV)
    seen = await blob_files.look(name)
    service = BlobServiceClient.from_connection_string(azurite.connection_string)
    async with service:
        slow = service.get_blob_client("exports", name)
        marked = await slow.set_blob_metadata({"page": "1", "rows": "9", "size": "9", "cursor": ""})

        with pytest.raises(ConflictError):
            await blob_files.append(name, b"lost", seen=seen, mark=mark(1, 7), form=CSV)

        assert marked["etag"] != seen.etag
    assert (await blob_files.look(name)).size == 3


async def test_a_link_lets_anybody_read_the_file_and_nothing_else(
    blob_files: BlobExportFiles, name: str
) -> None:
    await blob_files.append(name, b"abc", seen=FileState(), mark=mark(0, 3), form=CSV)

    link = await blob_files.link(name, now=datetime.now(UTC))

    async with aiohttp.ClientSession() as http:
        async with http.get(link) as answer:
            assert (answer.status, await answer.read()) == (200, b"abc")
            assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        async with http.delete(link) as answer:
            assert answer.status == 403
        async with http.get(link.partition("?")[0]) as answer:
            assert answer.status in {403, 404}
    assert (await blob_files.look(name)).size == 3


async def test_a_link_does_not_last(blob_files: BlobExportFiles, name: str) -> None:
    await blob_files.append(name, b"abc", seen=FileState(), mark=mark(0, 3), form=CSV)

    link = await blob_files.link(name, now=datetime.now(UTC) - timedelta(minutes=16))

    async with aiohttp.ClientSession() as http, http.get(link) as answer:
        assert answer.status == 403


DELEGATION_KEY = """<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>
<SignedOid>00000000-0000-4000-8000-00000000000a</SignedOid>
<SignedTid>00000000-0000-4000-8000-00000000000b</SignedTid>
<SignedStart>2026-11-22T11:55:00Z</SignedStart><SignedExpiry>2026-11-22T12:15:00Z</SignedExpiry>
<SignedService>b</SignedService><SignedVersion>2025-01-05</SignedVersion>
<Value>c2VjcmV0</Value></UserDelegationKey>"""


async def test_with_an_identity_a_link_is_signed_with_its_delegation_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK's own request for the key, answered as "Get User Delegation Key" says."""
    asked: list[HttpRequest] = []
    storage = Storage(
        table_uri="https://acc.table.core.windows.net",
        queue_uri="https://acc.queue.core.windows.net",
        blob_uri="https://acc.blob.core.windows.net",
    )
    gateway = BlobExportFiles(replace(SETTINGS, storage=storage), FixedToken())
    monkeypatch.setattr(AioHttpTransport, "send", _answering(asked))

    link = await gateway.link("e1.csv", now=datetime(2026, 11, 22, 12, tzinfo=UTC))
    await gateway.close()

    (request,) = asked
    assert request.method == "POST"
    assert "comp=userdelegationkey" in request.url
    parts = urlsplit(link)
    fields = {key: value[0] for key, value in parse_qs(parts.query).items()}
    assert (parts.netloc, parts.path) == ("acc.blob.core.windows.net", "/exports/e1.csv")
    assert fields["skoid"] == "00000000-0000-4000-8000-00000000000a"
    assert (fields["sp"], fields["sr"]) == ("r", "b")
    assert (fields["st"], fields["se"]) == ("2026-11-22T11:55:00Z", "2026-11-22T12:15:00Z")
    assert fields["sig"]


def _answering(asked: list[HttpRequest]) -> Callable[..., Awaitable[AsyncHttpResponse]]:
    """Return a transport's `send` that answers any request with the key."""

    class Answer(AsyncHttpResponse):
        def body(self) -> bytes:
            return DELEGATION_KEY.encode()

        async def load_body(self) -> None:
            return

    async def send(self: object, request: HttpRequest, **_: object) -> AsyncHttpResponse:
        asked.append(request)
        answer = Answer(request, None)
        answer.status_code = 200
        answer.reason = "OK"
        answer.headers = {"content-type": "application/xml"}
        answer.content_type = "application/xml"
        return answer

    return send


async def test_without_a_place_for_blobs_the_setting_is_named() -> None:
    storage = Storage(table_uri="https://t", queue_uri="https://q")
    gateway = BlobExportFiles(replace(SETTINGS, storage=storage), FixedToken())

    with pytest.raises(RefusedError, match="set AzureWebJobsStorage__blobServiceUri"):
        await gateway.look("x")
