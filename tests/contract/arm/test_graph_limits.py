"""Resource Graph's quota and its skip tokens."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from localcloud.arm import ArmSimulator
from tests.arm_plugin import client_options
from tests.contract.arm.requests import UBUNTU, machine

_QUERY = "Resources | project id"


@pytest.fixture
async def slow_graph(slow_arm: ArmSimulator) -> AsyncIterator[Any]:
    async with ResourceGraphClient(**client_options(slow_arm)) as client:
        yield client


async def _quota(graph: Any) -> tuple[str, str]:
    headers: dict[str, str] = {}
    await graph.resources(
        QueryRequest(query=_QUERY),
        raw_response_hook=lambda response: headers.update(response.http_response.headers),
    )
    return headers["x-ms-user-quota-remaining"], headers["x-ms-user-quota-resets-after"]


async def test_every_answer_tells_what_is_left_of_the_quota(
    slow_arm: ArmSimulator, slow_graph: Any
) -> None:
    first = await _quota(slow_graph)
    slow_arm.cloud.scheduler.advance(timedelta(seconds=3))
    second = await _quota(slow_graph)
    slow_arm.cloud.scheduler.advance(timedelta(seconds=2))
    third = await _quota(slow_graph)

    assert (first, second) == (("14", "00:00:05"), ("13", "00:00:02"))
    assert third == ("14", "00:00:05")


async def test_a_query_that_is_refused_counts_too(slow_graph: Any) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        await slow_graph.resources(QueryRequest(query="Resources | nonsense"))

    response: Any = refusal.value.response
    assert response.headers["x-ms-user-quota-remaining"] == "14"
    assert await _quota(slow_graph) == ("13", "00:00:05")


async def test_the_sixteenth_query_in_five_seconds_is_refused_until_they_are_over(
    slow_arm: ArmSimulator, slow_graph: Any
) -> None:
    for _ in range(15):
        last = await _quota(slow_graph)
    slow_arm.cloud.scheduler.advance(timedelta(seconds=1))

    with pytest.raises(HttpResponseError) as refusal:
        await _quota(slow_graph)

    assert last == ("0", "00:00:05")
    assert refusal.value.status_code == 429
    assert refusal.value.error is not None
    assert refusal.value.error.code == "RateLimiting"
    response: Any = refusal.value.response
    headers = response.headers
    assert (headers["Retry-After"], headers["x-ms-user-quota-remaining"]) == ("4", "0")
    slow_arm.cloud.scheduler.advance(timedelta(seconds=4))
    assert await _quota(slow_graph) == ("14", "00:00:05")


async def test_the_sdk_waits_as_long_as_it_is_told(
    arm: ArmSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm.cloud.graph.queries = 0
    waits: list[float] = []

    async def wait(_: AioHttpTransport, seconds: float) -> None:
        waits.append(seconds)
        arm.cloud.graph.queries = 1

    monkeypatch.setattr(AioHttpTransport, "sleep", wait)
    options = {**client_options(arm), "retry_total": 1}
    async with ResourceGraphClient(**options) as patient:
        await patient.resources(QueryRequest(query=_QUERY))

    assert waits == [5]


async def test_skip_tokens_may_expire(
    arm: ArmSimulator, compute: ComputeManagementClient, graph: Any
) -> None:
    for name in ("a", "b"):
        await compute.virtual_machines.begin_create_or_update("rg", name, machine(UBUNTU))
    options = QueryRequestOptions(top=1)
    first = await graph.resources(QueryRequest(query=_QUERY, options=options))

    arm.cloud.graph.expire_tokens()

    for token in (first.skip_token, "no-token"):
        options = QueryRequestOptions(top=1, skip_token=token)
        with pytest.raises(HttpResponseError) as refusal:
            await graph.resources(QueryRequest(query=_QUERY, options=options))
        assert refusal.value.status_code == 400
