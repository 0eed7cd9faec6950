"""HTTP functions behind the routes and conversions of the host."""

import asyncio
import time

import pytest

from tests.functional.host.conftest import Sample, StartSample

pytestmark = pytest.mark.azurite


async def test_a_function_sees_method_route_query_header_and_body(sample: Sample) -> None:
    async with sample.http.post(
        "/api/shelf/7/war%20and%2Fpeace?page=2&page=3&empty=&flag",
        data=b"\xff\x00",
        headers={"X-Probe": "yes"},
    ) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/json"
        seen = await response.json()
    assert seen["method"] == "POST"
    assert seen["params"] == {"number": "7", "title": "war and%2Fpeace"}
    assert seen["query"] == {"page": "2,3"}
    assert seen["probe"] == "yes"
    assert seen["body"] == "\xff\x00"
    assert "x-probe" in seen["header_names"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/shelf/7", 200),
        ("GET", "/API/Shelf/7", 200),
        ("GET", "/api/shelf/7/", 200),
        ("GET", "/api/shelf/seven", 404),
        ("DELETE", "/api/shelf/7", 404),
        ("GET", "/api/shelf", 404),
        ("GET", "/shelf/7", 404),
        ("PATCH", "/api/plain", 201),
        ("GET", "/api/nothing", 404),
    ],
)
async def test_route_and_method_decide_together(
    sample: Sample, method: str, path: str, status: int
) -> None:
    async with sample.http.request(method, path) as response:
        assert response.status == status


async def test_an_absent_optional_segment_gives_no_parameter(sample: Sample) -> None:
    async with sample.http.get("/api/shelf/7") as response:
        assert (await response.json())["params"] == {"number": "7"}


async def test_a_literal_segment_wins_over_a_parameter(sample: Sample) -> None:
    async with sample.http.get("/api/shelf/list") as response:
        assert await response.text() == "all"
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_a_catch_all_takes_the_rest_of_the_path(sample: Sample) -> None:
    async with sample.http.get("/api/files/a/b%20c") as response:
        assert await response.text() == "a/b c"
    async with sample.http.get("/api/files") as response:
        assert await response.text() == "(none)"


async def test_status_headers_and_cookies_reach_the_caller(sample: Sample) -> None:
    async with sample.http.get("/api/plain") as response:
        assert response.status == 201
        assert response.headers["Location"] == "/there"
        assert response.headers.getall("Set-Cookie") == [
            "a=1; HttpOnly; Path=/; SameSite=Lax",
            "b=2; Max-Age=60; Path=/; Secure",
        ]


async def test_a_failing_function_answers_an_empty_500_and_is_counted(sample: Sample) -> None:
    async with sample.http.get("/api/fails") as response:
        assert (response.status, await response.text()) == (500, "")
    assert sample.host.invocations["fails"] == 1
    (failure,) = sample.host.failures["fails"]
    assert failure.startswith("LookupError: no such thing\n")


async def test_a_function_that_exits_fails_without_ending_the_host(sample: Sample) -> None:
    async with sample.http.get("/api/ends") as response:
        assert response.status == 500
    async with sample.http.get("/api/plain") as response:
        assert response.status == 201


async def test_a_header_that_utf8_cannot_carry_fails_as_it_would_in_azure(sample: Sample) -> None:
    async with sample.http.get("/api/surrogate") as response:
        assert response.status == 500
    assert sample.host.failures["surrogate"][0].startswith("UnicodeEncodeError")


async def test_the_host_answers_while_a_function_blocks_its_loop(sample: Sample) -> None:
    started = time.monotonic()

    async def block() -> float:
        async with sample.http.get("/api/blocks") as response:
            assert await response.text() == "done"
        return time.monotonic() - started

    async def look() -> float:
        await asyncio.sleep(0.3)
        async with sample.http.get("/admin/host/status") as response:
            assert response.status == 200
        return time.monotonic() - started

    blocked, looked = await asyncio.gather(block(), look())
    assert blocked >= 1.0
    assert looked < blocked


async def test_the_route_prefix_comes_from_host_json(start_sample: StartSample) -> None:
    extensions = {"extensions": {"http": {"routePrefix": ""}}}
    async with start_sample(host_json=extensions) as sample:
        async with sample.http.get("/plain") as response:
            assert response.status == 201
        async with sample.http.get("/api/plain") as response:
            assert response.status == 404
