"""The control surface, which needs no token and no SDK."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.mgmt.compute.aio import ComputeManagementClient

from localcloud.arm import ArmSimulator
from localcloud.arm.control_guests import guest_of
from localcloud.arm.errors import ArmError
from tests.contract.arm.requests import GROUP, SUBSCRIPTION, UBUNTU, machine
from tests.contract.arm.webhook import serve_webhook

_PLAN = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"}


class _Control:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self._session.request(method, f"/_sim{path}", json=body) as response:
            return response.status, await response.json()


@pytest.fixture
async def control(arm: ArmSimulator) -> AsyncIterator[_Control]:
    async with aiohttp.ClientSession(arm.base_url) as session:
        yield _Control(session)


@pytest.fixture
async def slow_control(slow_arm: ArmSimulator) -> AsyncIterator[_Control]:
    async with aiohttp.ClientSession(slow_arm.base_url) as session:
        yield _Control(session)


async def test_a_marketplace_version_is_published(
    control: _Control, compute: ComputeManagementClient
) -> None:
    status, _ = await control.ask("POST", "/marketplace/versions", {**_PLAN, "version": "0.1.2"})

    versions = await compute.virtual_machine_images.list("westeurope", *_PLAN.values())
    assert status == 200
    assert "0.1.2" in [version.name for version in versions]


async def test_a_guest_is_changed_behind_everybodys_back(
    arm: ArmSimulator, control: _Control, compute: ComputeManagementClient
) -> None:
    await compute.virtual_machines.begin_create_or_update("rg", "vm", machine(UBUNTU))
    vm = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
    guest = guest_of(arm.cloud, vm)
    file = {"resource_id": vm, "path": "/etc/motd"}
    key = {"resource_id": vm, "key": "HKLM:\\SOFTWARE\\Assay\\"}

    await control.ask("POST", "/guests/files", {**file, "text": "hi"})
    await control.ask("POST", "/guests/registry", {**key, "values": {"a": "b"}})
    assert guest.files == {"/etc/motd": "hi"}
    assert guest.registry == {"hklm:\\software\\assay": {"a": "b"}}

    await control.ask("POST", "/guests/files", file)
    await control.ask("POST", "/guests/registry", key)
    assert (guest.files, guest.registry) == ({}, {})
    status, _ = await control.ask("POST", "/guests/files", {**file, "resource_id": f"{vm}9"})
    assert status == 409


async def test_a_version_of_an_unknown_plan_is_a_conflict(control: _Control) -> None:
    status, answer = await control.ask(
        "POST", "/marketplace/versions", {**_PLAN, "sku": "13", "version": "1.2.3"}
    )

    assert status == 409
    assert answer == {"error": "NotFound: Artifact: VMImage was not found."}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"kind": "http", "status": 503, "times": 1}),
        ("/faults", {"kind": "run", "message": "no", "distributed": True}),
        ("/faults", {"kind": "event", "effect": "drop", "probability": 0.5}),
        ("/faults", {"kind": "event", "effect": "drop", "subject": "/virtualMachines/a$"}),
        ("/guest-rules", {"command": "check", "exit_code": 1}),
    ],
)
async def test_faults_and_rules_are_set_listed_and_cleared(
    control: _Control, path: str, body: dict[str, Any]
) -> None:
    await control.ask("POST", path, body)
    _, listed = await control.ask("GET", path)
    await control.ask("DELETE", path)
    _, cleared = await control.ask("GET", path)

    assert [{key: row[key] for key in body} for row in listed] == [body]
    assert cleared == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"kind": "magic"}),
        ("/faults", {"kind": "http", "colour": "red"}),
        ("/guest-rules", {"times": -1}),
        ("/advance", {"seconds": -1}),
        ("/graph", {"queries": -1}),
        ("/guest-assignments", {"resource_id": "/x", "name": "a", "status": "Fine"}),
        ("/tenant/subscriptions", {"subscription": SUBSCRIPTION, "colour": "red"}),
    ],
)
async def test_malformed_requests_are_refused(
    control: _Control, path: str, body: dict[str, Any]
) -> None:
    status, answer = await control.ask("POST", path, body)

    assert status == 400
    assert "validation error" in answer["error"]


async def test_time_is_advanced(slow_control: _Control, slow_arm: ArmSimulator) -> None:
    before = slow_arm.cloud.clock.now()

    _, answer = await slow_control.ask("POST", "/advance", {"seconds": 903})

    assert (slow_arm.cloud.clock.now() - before).total_seconds() == 903
    assert answer == {"now": slow_arm.cloud.clock.now().isoformat()}


async def test_a_policy_state_is_set_and_removed(control: _Control) -> None:
    state = {"resource_id": f"{GROUP}/x", "assignment": "/a", "state": "NonCompliant"}
    await control.ask("POST", "/policy-states", state)
    _, there = await control.ask("GET", "/policy-states")
    await control.ask("DELETE", "/policy-states", {"resource_id": f"{GROUP}/x", "assignment": "/a"})
    _, gone = await control.ask("GET", "/policy-states")
    _, events = await control.ask("GET", "/events")

    assert [row["complianceState"] for row in there] == ["NonCompliant"]
    assert gone == []
    assert [event["type"].rsplit(".", 1)[-1] for event in events] == [
        "PolicyStateCreated",
        "PolicyStateDeleted",
    ]


async def test_a_policy_state_is_set_and_removed_without_a_word(control: _Control) -> None:
    named = {"resource_id": f"{GROUP}/x", "assignment": "/a", "silent": True}
    await control.ask("POST", "/policy-states", {**named, "state": "NonCompliant"})
    _, there = await control.ask("GET", "/policy-states")
    await control.ask("DELETE", "/policy-states", named)
    _, gone = await control.ask("GET", "/policy-states")
    _, events = await control.ask("GET", "/events")

    assert [row["complianceState"] for row in there] == ["NonCompliant"]
    assert (gone, events) == ([], [])


async def test_a_subscription_is_hidden_placed_and_shown_again(control: _Control) -> None:
    path, named = "/tenant/subscriptions", {"subscription": SUBSCRIPTION}
    group = {"name": "shop", "display_name": "Shop"}
    await control.ask("POST", path, {**named, "hidden": True, "management_groups": [group]})
    _, hidden = await control.ask("GET", path)
    await control.ask("POST", path, {**named, "hidden": False})
    _, shown = await control.ask("GET", path)
    status, answer = await control.ask("POST", path, {"subscription": "x", "hidden": True})

    assert hidden == [{**named, "hidden": True, "management_groups": [group]}]
    assert shown == [{**named, "hidden": False, "management_groups": [group]}]
    assert (status, answer) == (409, {"error": "There is no subscription 'x' in the tenant."})


async def test_the_limits_of_resource_graph_are_changed(
    control: _Control, arm: ArmSimulator
) -> None:
    token = arm.cloud.graph.token(100)
    await control.ask("POST", "/graph", {"queries": 3})
    await control.ask("POST", "/graph/expire-tokens")

    assert await control.ask("GET", "/graph") == (200, {"queries": 3})
    with pytest.raises(ArmError):
        arm.cloud.graph.start(token)


async def test_a_guest_assignment_is_put_on_a_machine_and_taken_away(
    control: _Control, compute: ComputeManagementClient
) -> None:
    path, vm = "/guest-assignments", f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
    named = {"resource_id": vm, "name": "AssayTattoo"}
    found = {"status": "Compliant", "reasons": [{"code": "c", "phrase": "p"}]}
    early, _ = await control.ask("POST", path, {**named, **found})
    await compute.virtual_machines.begin_create_or_update("rg", "vm", machine(UBUNTU))

    _, made = await control.ask("POST", path, {**named, **found})
    _, there = await control.ask("GET", path)
    await control.ask("DELETE", path, named)
    _, gone = await control.ask("GET", path)

    assert early == 409
    assert [row["id"] for row in there] == [made["id"]]
    assert gone == []


async def test_a_webhook_is_subscribed_and_gets_events(
    arm: ArmSimulator, control: _Control
) -> None:
    async with serve_webhook() as webhook:
        await control.ask(
            "POST",
            "/subscriptions",
            {"name": "s", "source": "policy", "endpoint_url": webhook.url, "schema": "cloudevents"},
        )
        state = {"resource_id": f"{GROUP}/x", "assignment": "/a", "state": "Compliant"}
        await control.ask("POST", "/policy-states", state)
        await arm.settle()
        _, listed = await control.ask("GET", "/subscriptions")

    assert [row["name"] for row in listed] == ["s"]
    assert [event["subject"] for event in webhook.received] == [f"{GROUP}/x".lower()]


async def test_the_log_of_traffic_is_written_without_tokens(
    control: _Control, compute: ComputeManagementClient, tmp_path: Path
) -> None:
    await compute.virtual_machines.begin_create_or_update("rg", "vm", machine(UBUNTU))

    _, answer = await control.ask("POST", "/traffic/dump", {"dir": str(tmp_path / "out")})

    (written,) = (tmp_path / "out").iterdir()
    payload = json.loads(written.read_text(encoding="utf-8"))
    assert answer == {"written": 1}
    assert written.name == "000000-VirtualMachines_CreateOrUpdate.json"
    assert payload["liveRequest"]["url"].startswith("https://management.azure.com/subscriptions/")
    assert "Authorization" not in payload["liveRequest"]["headers"]
    assert payload["liveResponse"]["statusCode"] == "201"


async def test_a_reset_forgets_resources_faults_and_events(
    control: _Control, compute: ComputeManagementClient
) -> None:
    await compute.virtual_machines.begin_create_or_update("rg", "vm", machine(UBUNTU))
    await control.ask("POST", "/faults", {"kind": "run"})

    await control.ask("POST", "/reset")
    _, summary = await control.ask("GET", "")
    _, faults = await control.ask("GET", "/faults")
    _, events = await control.ask("GET", "/events")

    assert summary["resources"] == {}
    assert (faults, events) == ([], [])
