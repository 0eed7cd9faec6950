"""The admin interface: status, list, and running a function by hand."""

import pytest

from tests.functional.host.conftest import Sample
from tests.functional.host.test_events import grid_event

pytestmark = pytest.mark.azurite


async def test_a_started_host_says_it_is_running(sample: Sample) -> None:
    async with sample.http.get("/admin/host/status") as response:
        status = await response.json()
    assert status["state"] == "Running"
    assert status["version"] == "4.0.0-local"


async def test_the_functions_are_listed_with_their_bindings(sample: Sample) -> None:
    async with sample.http.get("/admin/functions") as response:
        listed = {function["name"]: function for function in await response.json()}
    assert sorted(listed) == sorted(function.name for function in sample.host.functions)
    base = sample.host.base_url
    assert listed["shelf"]["invoke_url_template"] == f"{base}/api/shelf/{{number:int}}/{{title?}}"
    assert listed["relay"]["config"]["bindings"][1] == {
        "direction": "IN",
        "type": "queueTrigger",
        "name": "msg",
        "queueName": "%SAMPLE_PREFIX%-in",
        "connection": "SampleStorage",
    }


async def test_a_queue_function_is_run_with_the_given_input(sample: Sample) -> None:
    async with sample.http.post(
        "/admin/functions/RELAY", json={"input": '{"answer": "by hand"}'}
    ) as response:
        assert response.status == 202
    await sample.host.wait_idle(10)
    assert sample.seen("relay") == [(None, None, '{"answer": "by hand"}')]
    assert sample.seen("sink") == ["by hand"]


async def test_an_event_function_is_run_with_the_given_event(sample: Sample) -> None:
    async with sample.http.post(
        "/admin/functions/on_event", json={"input": grid_event(9)}
    ) as response:
        assert response.status == 202
    await sample.host.wait_idle(10)
    assert [seen[0] for seen in sample.seen("on_event")] == ["event-9"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/admin/functions/no_such", b"{}", 404),
        ("/admin/functions/tick", b"[]", 400),
        ("/admin/functions/tick", b"{", 400),
        ("/admin/functions/plain", b"{}", 400),
        ("/admin/other", b"{}", 404),
    ],
)
async def test_what_cannot_be_run_by_hand_is_refused(
    sample: Sample, path: str, body: bytes, status: int
) -> None:
    async with sample.http.post(path, data=body) as response:
        assert response.status == status
    assert sample.host.invocations.total() == 0
