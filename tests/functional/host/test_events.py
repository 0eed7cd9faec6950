"""The Event Grid webhook: handshakes, schemas, batches and failures."""

from typing import Any

import pytest

from tests.functional.host.conftest import Sample

pytestmark = pytest.mark.azurite
HOOK = "/runtime/webhooks/eventgrid"
NOTIFICATION = {"aeg-event-type": "Notification"}


def grid_event(number: int, **data: object) -> dict[str, Any]:
    return {
        "id": f"event-{number}",
        "topic": "/subscriptions/s",
        "subject": f"subject-{number}",
        "eventType": "Sample.Happened",
        "eventTime": "2026-03-01T10:00:00Z",
        "data": data,
        "dataVersion": "1",
        "metadataVersion": "1",
    }


def cloud_event(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"cloud-{number}",
        "source": "/subscriptions/s",
        "type": "Sample.Happened",
        "time": "2026-03-01T10:00:00Z",
        "data": {"n": number},
    }


async def post(sample: Sample, function: str, body: object, headers: dict[str, str]) -> int:
    url = f"{HOOK}?functionName={function}"
    async with sample.http.post(url, json=body, headers=headers) as response:
        return response.status


async def test_a_subscription_is_validated_with_its_code(sample: Sample) -> None:
    event = grid_event(1, validationCode="512d38b6", validationUrl="https://example.org/v")
    async with sample.http.post(
        f"{HOOK}?functionName=on_event",
        json=[event],
        headers={"aeg-event-type": "SubscriptionValidation"},
    ) as response:
        assert response.status == 200
        assert await response.json() == {"validationResponse": "512d38b6"}
    assert sample.seen("on_event") == []


async def test_a_cloud_events_subscription_asks_with_options(sample: Sample) -> None:
    async with sample.http.options(
        f"{HOOK}?functionName=on_cloud_event",
        headers={"WebHook-Request-Origin": "eventgrid.azure.net"},
    ) as response:
        assert response.status == 200
        assert response.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
        assert response.headers["WebHook-Allowed-Rate"] == "*"


async def test_path_and_function_name_have_no_case(sample: Sample) -> None:
    async with sample.http.post(
        "/Runtime/WebHooks/EventGrid?FunctionName=ON_EVENT",
        json=[grid_event(1)],
        headers=NOTIFICATION,
    ) as response:
        assert response.status == 202
    assert sample.seen("on_event") == [("event-1", "Sample.Happened", "subject-1", {})]


async def test_a_batch_is_one_invocation_per_event(sample: Sample) -> None:
    events = [grid_event(number, n=number) for number in range(5)]
    assert await post(sample, "on_event", events, NOTIFICATION) == 202
    assert sample.host.invocations["on_event"] == 5
    assert sorted(data["n"] for *_, data in sample.seen("on_event")) == [0, 1, 2, 3, 4]


async def test_one_failure_fails_the_delivery_but_the_others_have_run(sample: Sample) -> None:
    events = [grid_event(1), grid_event(2, fail=True), grid_event(3)]
    async with sample.http.post(
        f"{HOOK}?functionName=on_event", json=events, headers=NOTIFICATION
    ) as response:
        assert response.status == 500
        assert (await response.text()).startswith("ValueError: refused event-2\n")
    assert sorted(seen[0] for seen in sample.seen("on_event")) == ["event-1", "event-3"]


async def test_cloud_events_come_alone_or_in_a_batch(sample: Sample) -> None:
    assert await post(sample, "on_cloud_event", cloud_event(1), NOTIFICATION) == 202
    batch = [cloud_event(2), cloud_event(3)]
    assert await post(sample, "on_cloud_event", batch, NOTIFICATION) == 202
    assert sorted(sample.seen("on_cloud_event")) == [
        (f"cloud-{n}", "Sample.Happened", "/subscriptions/s", {"n": n}) for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("function", "body", "headers", "status"),
    [
        ("no_such", [], NOTIFICATION, 404),
        ("relay", [], NOTIFICATION, 404),
        ("", [], NOTIFICATION, 404),
        ("on_event", [{"id": "1"}], {}, 400),
        ("on_event", [{"id": "1"}], {"aeg-event-type": "Other"}, 400),
        ("on_event", [], NOTIFICATION, 400),
        ("on_event", "text", NOTIFICATION, 400),
        ("on_event", [{"data": {}}], {"aeg-event-type": "SubscriptionValidation"}, 400),
        ("on_event", [], {"aeg-event-type": "Unsubscribe"}, 202),
    ],
)
async def test_what_is_not_a_delivery_is_refused(
    sample: Sample, function: str, body: object, headers: dict[str, str], status: int
) -> None:
    assert await post(sample, function, body, headers) == status
    assert sample.host.invocations.total() == 0


async def test_a_body_that_is_not_json_is_refused(sample: Sample) -> None:
    async with sample.http.post(
        f"{HOOK}?functionName=on_event", data=b"{", headers=NOTIFICATION
    ) as response:
        assert response.status == 400
