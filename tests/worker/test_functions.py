"""Every function of the app, indexed and invoked through the real worker library."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.host.protos import RpcHttp, TypedData
from shared.dispatch import STEP_FUNCTIONS
from shared.domain.image_definition import build_id
from shared.intake import MAX_DELIVERIES
from shared.messages import (
    ApproveImage,
    AttestImage,
    AttestVm,
    CancelBuild,
    CleanUpBuild,
    Command,
    DetectSource,
    Envelope,
    FindOldHistory,
    HurryBuild,
    JudgeImageUsers,
    JudgeVm,
    MoveChannel,
    NotifyPeople,
    PauseDefinition,
    PromoteImage,
    PublishImage,
    ReadTattoo,
    RebuildChildren,
    RecordOutcome,
    RecordPolicyState,
    RemoveExports,
    RepairImage,
    RestoreVersion,
    ResumeDefinition,
    RetireImages,
    RetireVersion,
    RevokeVersion,
    SettleDrift,
    StartAttempt,
    StartBuild,
    StopBuild,
    SweepFleet,
    SweepPolicy,
    SweepPolicyStates,
    SweepSubscriptions,
    TakeSnapshot,
    TattooImage,
    TrackImageVersion,
    TrackVm,
    TrimHistory,
    VerifyImage,
    VerifySource,
    WatchBuild,
    WatchGallery,
    WriteExport,
    encode,
)
from shared.workflow import STEP_BY_NAME, STEPS
from tests.fakes.fleet import vm_facts
from tests.worker.conftest import LoadedApp

pytestmark = pytest.mark.asyncio(loop_scope="module")

VM = vm_facts().resource_id
VM_EVENT: dict[str, Any] = {
    "topic": "/subscriptions/0", "subject": VM, "id": "1", "dataVersion": "2",
    "eventType": "Microsoft.Resources.ResourceWriteSuccess", "eventTime": "2026-11-22T12:00:00Z",
    "data": {"operationName": "Microsoft.Compute/virtualMachines/write", "resourceUri": VM},
}  # fmt: skip
COMMANDS: tuple[Command, ...] = (
    DetectSource(definition="ubuntu-22-04"),
    StartBuild(definition="ubuntu-22-04", source_version="22.04.1", requested_by="http"),
    VerifySource(build_id="gone", turn=0),
    StartAttempt(build_id="gone", turn=0),
    WatchBuild(build_id="gone", turn=0),
    HurryBuild(template="gone-a1"),
    TattooImage(build_id="gone", turn=0),
    VerifyImage(build_id="gone", turn=0),
    AttestImage(build_id="gone", turn=0),
    RepairImage(build_id="gone", turn=0),
    PublishImage(build_id="gone", turn=0),
    PromoteImage(definition="ubuntu-22-04"),
    MoveChannel(
        definition="ubuntu-22-04", channel="stable", by="b", because="b", request="r",
    ),
    ApproveImage(
        definition="ubuntu-22-04", channel="stable", image_version="1.1.1", by="b", because="b"
    ),
    RevokeVersion(
        definition="ubuntu-22-04", image_version="1.1.1", by="b", because="b", request="r"
    ),
    RestoreVersion(
        definition="ubuntu-22-04", image_version="1.1.1", by="b", because="b", request="r"
    ),
    RetireVersion(definition="ubuntu-22-04", image_version="1.1.1", by="b", because="b"),
    RetireImages(definition="ubuntu-22-04"),
    WatchGallery(),
    CleanUpBuild(build_id="gone"),
    RecordOutcome(build_id="gone"),
    PauseDefinition(definition="ubuntu-22-04", by="function-key", why="w"),
    ResumeDefinition(definition="ubuntu-22-04", by="function-key", why="w"),
    StopBuild(build_id="gone"),
    NotifyPeople(event_id="e", event="ImagePublished", subject="images/x", data={}),
    CancelBuild(build_id="gone", by="function-key", because="no need"),
    RebuildChildren(definition="ubuntu-22-04"),
    TrackImageVersion(resource_id=f"{VM}/nothing"),
    TrackVm(resource_id=VM),
    RecordPolicyState(
        resource_id=VM, assignment_id="a", definition_id="d", reference_id="", state="compliant",
        timestamp=datetime(2026, 11, 22, tzinfo=UTC),
    ),
    JudgeImageUsers(image_id="i", because="b"),
    JudgeVm(vm_keys=("0.a",), because="b"),
    AttestVm(vm_keys=("0.a",)),
    ReadTattoo(vm_key="0.a", started_at=datetime(2026, 11, 22, tzinfo=UTC)),
    SweepFleet(sweep_id="s"),
    SweepSubscriptions(sweep_id="s", batch=0, turn=0, rank=2),
    SettleDrift(sweep_id="s", batch=0, part="p", resource_ids=(VM,)),
    TakeSnapshot(at=datetime(2026, 11, 22, 12, tzinfo=UTC)),
    WriteExport(export_id="gone"),
    RemoveExports(),
    SweepPolicy(began_at=datetime(2026, 11, 22, tzinfo=UTC)),
    SweepPolicyStates(subscription_id="0", began_at=datetime(2026, 11, 22, tzinfo=UTC)),
    FindOldHistory(),
    TrimHistory(vm_keys=("0.a",)),
)  # fmt: skip


def text(command: Command) -> str:
    return encode(Envelope(command=command, correlation_id="c"))


def cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return the same event in the CloudEvents schema."""
    return {
        "specversion": "1.0", "type": event["eventType"], "source": event["topic"],
        "subject": event["subject"], "id": event["id"], "time": event["eventTime"],
        "data": event["data"],
    }  # fmt: skip


async def test_the_app_has_these_functions_and_no_others(app: LoadedApp) -> None:
    by_trigger: dict[str, set[str]] = {}
    for function in app.functions.values():
        by_trigger.setdefault(function.trigger.type, set()).add(function.name)

    assert by_trigger["queueTrigger"] == {s.name for s in STEPS} | {f"park_{s.name}" for s in STEPS}
    assert by_trigger["eventGridTrigger"] == {
        "receive_resource_event", "receive_policy_event", "receive_assay_event",
    }  # fmt: skip
    assert by_trigger["timerTrigger"] == {
        "look_for_sources", "look_after_images", "look_at_fleet", "look_at_numbers",
        "look_at_policy", "look_after_history",
    }  # fmt: skip
    assert all(name.startswith("api_") for name in by_trigger["httpTrigger"])


async def test_every_step_reads_the_queue_of_its_name(app: LoadedApp) -> None:
    queues = {name: app.functions[name].trigger.queue_name for name in STEP_BY_NAME}
    poison = {name: app.functions[f"park_{name}"].trigger.queue_name for name in STEP_BY_NAME}

    assert queues == {s.name: s.queue for s in STEPS}
    assert poison == {s.name: s.poison_queue for s in STEPS}


async def test_only_health_is_open_to_everyone(app: LoadedApp) -> None:
    levels = {
        name: str(function.trigger.fields["authLevel"]).lower()
        for name, function in app.functions.items()
        if function.trigger.type == "httpTrigger"
    }

    assert levels.pop("api_check_health") == "anonymous"
    assert set(levels.values()) == {"function"}


async def test_every_message_is_tried_here() -> None:
    assert {c.kind for c in COMMANDS} == set(STEP_FUNCTIONS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.kind)
async def test_a_queue_function_takes_its_message(app: LoadedApp, command: Command) -> None:
    outcome = await app.invoke(command.kind, TypedData(string=text(command)), {"DequeueCount": "1"})

    assert outcome.error is None


async def test_a_step_sends_what_follows(app: LoadedApp) -> None:
    start = StartBuild(definition="ubuntu-22-04", source_version="22.04.1", requested_by="http")
    definition = app.world.definitions["ubuntu-22-04"]

    await app.invoke("start_build", TypedData(string=text(start)), {"DequeueCount": "1"})

    assert app.world.outbox.commands == [
        StartAttempt(build_id=build_id(definition, "22.04.1"), turn=0)
    ]


@pytest.mark.parametrize("as_cloud_event", [False, True])
@pytest.mark.parametrize(
    "function", ["receive_resource_event", "receive_policy_event", "receive_assay_event"]
)
async def test_an_event_function_takes_both_schemas(
    app: LoadedApp, function: str, as_cloud_event: bool
) -> None:
    event = cloud_event(VM_EVENT) if as_cloud_event else VM_EVENT

    outcome = await app.invoke(function, TypedData(json=json.dumps(event)))

    assert outcome.error is None
    assert app.world.outbox.commands == [TrackVm(resource_id=VM)]


async def test_a_malformed_event_is_parked_not_redelivered(app: LoadedApp) -> None:
    event = {**VM_EVENT, "subject": "nonsense", "data": {**VM_EVENT["data"], "resourceUri": ""}}

    outcome = await app.invoke("receive_resource_event", TypedData(json=json.dumps(event)))

    assert outcome.error is None
    assert app.world.outbox.commands == []
    (parked,) = (await app.world.records.parked.list()).items
    assert parked.queue == "receive_resource_event"
    assert "nonsense" in parked.text


async def test_an_unforeseen_error_fails_the_invocation_and_is_kept_the_last_time(
    app: LoadedApp,
) -> None:
    start = StartBuild(definition="ubuntu-22-04", source_version="22.04.1", requested_by="http")
    data = TypedData(string=text(start))
    app.world.outbox.fail_next("send", RuntimeError("a bug"), times=2)

    first = await app.invoke("start_build", data, {"DequeueCount": "1"})
    parked_first = (await app.world.records.parked.list()).items
    last = await app.invoke("start_build", data, {"DequeueCount": str(MAX_DELIVERIES)})
    await app.invoke("park_start_build", data, {"DequeueCount": "1"})

    assert "a bug" in str(first.error)
    assert "a bug" in str(last.error)
    assert parked_first == ()
    (parked,) = (await app.world.records.parked.list()).items
    assert parked.reason == "RuntimeError: a bug"


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.name)
async def test_a_message_the_host_gave_up_is_parked(app: LoadedApp, step: Any) -> None:
    outcome = await app.invoke(f"park_{step.name}", TypedData(string="{}"), {"DequeueCount": "1"})

    assert outcome.error is None
    (parked,) = (await app.world.records.parked.list()).items
    assert (parked.queue, parked.text) == (step.queue, "{}")
    assert "the process may have died" in parked.reason


async def test_the_timer_asks_for_a_look_at_every_source(app: LoadedApp) -> None:
    status = {"Last": "", "LastUpdated": "", "Next": ""}
    payload = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": False}

    outcome = await app.invoke("look_for_sources", TypedData(json=json.dumps(payload)))

    assert outcome.error is None
    assert app.world.outbox.commands == [DetectSource(definition="ubuntu-22-04")]


async def test_the_timer_looks_after_every_image(app: LoadedApp) -> None:
    status = {"Last": "", "LastUpdated": "", "Next": ""}
    payload = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": False}

    outcome = await app.invoke("look_after_images", TypedData(json=json.dumps(payload)))

    assert outcome.error is None
    assert app.world.outbox.commands == [
        WatchGallery(),
        PromoteImage(definition="ubuntu-22-04"),
        RetireImages(definition="ubuntu-22-04"),
    ]


async def test_the_timer_asks_for_the_snapshot_of_the_hour(app: LoadedApp) -> None:
    app.world.now += timedelta(minutes=47)
    status = {"Last": "", "LastUpdated": "", "Next": ""}
    payload = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": True}

    outcome = await app.invoke("look_at_numbers", TypedData(json=json.dumps(payload)))

    assert outcome.error is None
    assert app.world.outbox.commands == [
        TakeSnapshot(at=datetime(2026, 11, 22, 12, tzinfo=UTC)),
        RemoveExports(),
    ]


async def test_the_timer_asks_for_a_sweep_of_the_policy_states(app: LoadedApp) -> None:
    status = {"Last": "", "LastUpdated": "", "Next": ""}
    payload = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": False}

    outcome = await app.invoke("look_at_policy", TypedData(json=json.dumps(payload)))

    assert outcome.error is None
    assert app.world.outbox.commands == [SweepPolicy(began_at=app.world.now)]


async def test_the_timer_looks_for_histories_that_are_too_long(app: LoadedApp) -> None:
    status = {"Last": "", "LastUpdated": "", "Next": ""}
    payload = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": False}

    outcome = await app.invoke("look_after_history", TypedData(json=json.dumps(payload)))

    assert outcome.error is None
    assert app.world.outbox.commands == [FindOldHistory()]


@pytest.mark.parametrize(
    ("function", "call", "params", "status"),
    [
        ("api_check_health", "GET v1/health", {}, 200),
        ("api_list_images", "GET v1/images", {}, 200),
        ("api_list_policy_sweeps", "GET v1/policy-sweeps", {}, 200),
        ("api_get_image", "GET v1/images/ubuntu-22-04", {"name": "ubuntu-22-04"}, 200),
        ("api_get_image", "GET v1/images/none", {"name": "none"}, 404),
        ("api_list_builds", "GET v1/builds", {}, 200),
        ("api_list_vms", "GET v1/vms", {}, 200),
        ("api_get_summary", "GET v1/reports/summary", {}, 404),
        ("api_get_trend", "GET v1/reports/trend", {}, 200),
        ("api_get_adoption", "GET v1/reports/adoption", {}, 400),
        ("api_list_overdue", "GET v1/reports/overdue", {}, 200),
        ("api_create_export", "POST v1/exports", {}, 400),
        ("api_get_export", "GET v1/exports/x", {"id": "x"}, 404),
        ("api_get_export_file", "GET v1/exports/x/file", {"id": "x"}, 404),
        ("api_publish_image", "POST v1/images/x/publish", {"name": "ubuntu-22-04"}, 202),
    ],
)
async def test_an_api_function_answers(
    app: LoadedApp, function: str, call: str, params: dict[str, str], status: int
) -> None:
    method, url = call.split()
    request = RpcHttp(
        method=method, url=f"http://127.0.0.1/api/{url}", params=params, body=TypedData(bytes=b"")
    )

    outcome = await app.invoke(function, TypedData(http=request))

    assert outcome.error is None
    assert outcome.return_value is not None
    assert outcome.return_value.value.status_code == str(status)
