"""The events of the simulated cloud, and how they are delivered."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.imagebuilder.aio import ImageBuilderClient
from azure.storage.queue.aio import QueueClient

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import EventFault, RunFault
from localcloud.arm.handshake import HandshakeError
from localcloud.azurite import Azurite
from tests.contract.arm.conftest import make_gallery
from tests.contract.arm.requests import GROUP, UBUNTU, machine, template
from tests.contract.arm.webhook import Webhook, serve_webhook

_VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
_WRITE = "Microsoft.Compute/virtualMachines/write"
_SUCCESS = "Microsoft.Resources.ResourceWriteSuccess"


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    async with serve_webhook() as hook:
        yield hook


async def _make_machine(compute: ComputeManagementClient, **changes: Any) -> None:
    body: Any = {**machine(UBUNTU), **changes}
    await (await compute.virtual_machines.begin_create_or_update("rg", "vm", body)).result()


async def test_a_created_machine_is_an_event_beside_the_noise_of_its_deployment(
    arm: ArmSimulator, compute: ComputeManagementClient, webhook: Webhook
) -> None:
    await arm.subscribe(source="resources", endpoint_url=webhook.url)

    await _make_machine(compute)
    await arm.settle()

    noise, event = sorted(webhook.received, key=lambda each: "deployments" not in each["subject"])
    assert webhook.handshakes == ["event"]
    assert noise["data"]["operationName"] == "Microsoft.Resources/deployments/write"
    assert noise["data"]["correlationId"] == event["data"]["correlationId"]
    assert event["eventType"] == _SUCCESS
    assert event["subject"] == _VM
    assert event["topic"] == f"/subscriptions/{arm.subscription_id}"
    assert event["dataVersion"] == "2"
    assert event["data"]["operationName"] == _WRITE
    assert event["data"]["resourceUri"] == _VM
    assert set(event["data"]["claims"]) == {"appid", "ver"}
    assert "httpRequest" not in event["data"]


async def test_an_updated_machine_is_an_event_that_shows_the_request(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    await _make_machine(compute)
    await _make_machine(compute, tags={"team": "other"})

    event = arm.cloud.events.log[-1]
    assert (event.type, event.data["operationName"]) == (_SUCCESS, _WRITE)
    assert event.data["httpRequest"]["method"] == "PUT"


async def test_the_event_comes_when_the_operation_has_ended(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient
) -> None:
    await slow_compute.virtual_machines.begin_create_or_update("rg", "vm", machine(UBUNTU))
    early = [event.type for event in slow_arm.cloud.events.log]

    slow_arm.cloud.scheduler.advance(timedelta(minutes=1))

    assert early == []
    assert [event.subject for event in slow_arm.cloud.events.log][-1] == _VM


async def test_a_refused_write_is_a_failure_event(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    await _make_machine(compute)
    other = machine({**UBUNTU, "version": "22.04.202204200"})
    with pytest.raises(ResourceExistsError):
        await compute.virtual_machines.begin_create_or_update("rg", "vm", other)

    assert arm.cloud.events.log[-1].type == "Microsoft.Resources.ResourceWriteFailure"


@pytest.mark.usefixtures("gallery")
async def test_the_version_that_image_builder_makes_is_an_event_too(
    arm: ArmSimulator, image_builder: ImageBuilderClient
) -> None:
    templates = image_builder.virtual_machine_image_templates
    await (await templates.begin_create_or_update("rg", "t", template())).result()
    arm.cloud.events.clear()

    await (await templates.begin_run("rg", "t")).result()

    assert [(e.type.rsplit(".", 1)[-1], e.data["operationName"]) for e in arm.cloud.events.log] == [
        ("ResourceWriteSuccess", "Microsoft.Compute/galleries/images/versions/write"),
        ("ResourceActionSuccess", "Microsoft.VirtualMachineImages/imageTemplates/run/action"),
    ]


@pytest.mark.usefixtures("gallery")
async def test_a_failed_run_is_a_failed_action(
    arm: ArmSimulator, image_builder: ImageBuilderClient
) -> None:
    templates = image_builder.virtual_machine_image_templates
    await (await templates.begin_create_or_update("rg", "t", template())).result()
    arm.add_fault(RunFault(times=1))

    await templates.begin_run("rg", "t")
    await templates.get("rg", "t")

    assert arm.cloud.events.log[-1].type == "Microsoft.Resources.ResourceActionFailure"


async def test_a_canceled_run_is_a_canceled_action_beside_the_cancellation(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, slow_builder: ImageBuilderClient
) -> None:
    await make_gallery(slow_compute)
    templates = slow_builder.virtual_machine_image_templates
    await templates.begin_create_or_update("rg", "t", template())
    slow_arm.cloud.scheduler.advance(timedelta(minutes=5))
    slow_arm.cloud.events.clear()

    await templates.begin_run("rg", "t")
    await templates.begin_cancel("rg", "t")
    slow_arm.cloud.scheduler.advance(timedelta(minutes=5))

    log = slow_arm.cloud.events.log
    assert [(e.type.rsplit(".", 1)[-1], e.data["operationName"]) for e in log] == [
        (
            "ResourceActionSuccess",
            "Microsoft.VirtualMachineImages/imageTemplates/cancel/action",
        ),
        ("ResourceActionCancel", "Microsoft.VirtualMachineImages/imageTemplates/run/action"),
    ]
    # One resource, written in two ways, as Azure does.
    assert len({e.subject for e in log}) == 2
    assert len({e.subject.lower() for e in log}) == 1


async def test_cloud_events_are_single_objects_after_an_options_handshake(
    arm: ArmSimulator, compute: ComputeManagementClient, webhook: Webhook
) -> None:
    await arm.subscribe(
        source="resources",
        endpoint_url=webhook.url,
        schema="cloudevents",
        operation_names=frozenset({_WRITE.lower()}),
    )

    await _make_machine(compute)
    await arm.settle()

    (event,) = webhook.received
    assert webhook.handshakes == ["eventgrid.azure.net"]
    assert event["specversion"] == "1.0"
    assert event["type"] == _SUCCESS
    assert event["source"] == f"/subscriptions/{arm.subscription_id}"
    assert webhook.headers[0]["Content-Type"].startswith("application/cloudevents+json")
    assert webhook.headers[0]["aeg-event-type"] == "Notification"
    assert webhook.headers[0]["aeg-delivery-count"] == "0"


@pytest.mark.parametrize("schema", ["eventgrid", "cloudevents"])
async def test_a_webhook_that_does_not_consent_is_not_subscribed(
    arm: ArmSimulator, webhook: Webhook, schema: Any
) -> None:
    webhook.consents = False

    with pytest.raises(HandshakeError):
        await arm.subscribe(source="resources", endpoint_url=webhook.url, schema=schema)

    assert arm.cloud.events.subscriptions == []


async def test_a_refused_delivery_is_tried_again(
    arm: ArmSimulator, compute: ComputeManagementClient, webhook: Webhook
) -> None:
    webhook.answers = [503, 500]
    await arm.subscribe(
        source="resources", endpoint_url=webhook.url, operation_names=frozenset({_WRITE})
    )

    await _make_machine(compute)
    await arm.settle()

    assert [headers["aeg-delivery-count"] for headers in webhook.headers] == ["0", "1", "2"]
    assert len({event["id"] for event in webhook.received}) == 1


async def test_waits_between_tries_follow_azures_table(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, webhook: Webhook
) -> None:
    webhook.answers = [503, 503]
    names = frozenset({_WRITE})
    await slow_arm.subscribe(source="resources", endpoint_url=webhook.url, operation_names=names)
    await slow_compute.virtual_machines.begin_create_or_update("rg", "vm", machine(UBUNTU))
    slow_arm.cloud.scheduler.advance(timedelta(minutes=1))

    tries = []
    for seconds in (9, 1, 29, 1):
        await _idle(slow_arm)
        slow_arm.cloud.scheduler.advance(timedelta(seconds=seconds))
        await _idle(slow_arm)
        tries.append(len(webhook.headers))

    assert tries == [1, 2, 2, 3]


async def _idle(sim: ArmSimulator) -> None:
    await sim.cloud.events.sent()


async def test_what_is_refused_for_good_becomes_a_dead_letter(
    arm: ArmSimulator, compute: ComputeManagementClient, webhook: Webhook
) -> None:
    webhook.answers = [400]
    await arm.subscribe(
        source="resources", endpoint_url=webhook.url, operation_names=frozenset({_WRITE})
    )

    await _make_machine(compute)
    await arm.settle()

    (letter,) = arm.cloud.events.dead_letters
    assert (letter.reason, letter.attempts) == ("Bad Request", 1)
    assert letter.event["subject"] == _VM


async def test_tries_are_limited(
    arm: ArmSimulator, compute: ComputeManagementClient, webhook: Webhook
) -> None:
    webhook.answers = [500, 500, 500]
    await arm.subscribe(
        source="resources",
        endpoint_url=webhook.url,
        operation_names=frozenset({_WRITE}),
        max_attempts=2,
    )

    await _make_machine(compute)
    await arm.settle()

    assert [letter.attempts for letter in arm.cloud.events.dead_letters] == [2]


@pytest.mark.parametrize(("effect", "copies"), [("drop", 0), ("duplicate", 2)])
async def test_an_event_may_be_lost_or_come_twice(
    arm: ArmSimulator,
    compute: ComputeManagementClient,
    webhook: Webhook,
    effect: Any,
    copies: int,
) -> None:
    await arm.subscribe(
        source="resources", endpoint_url=webhook.url, operation_names=frozenset({_WRITE})
    )
    arm.add_fault(EventFault(effect=effect))

    await _make_machine(compute)
    await arm.settle()

    assert [event["subject"] for event in webhook.received] == [_VM] * copies


async def test_only_the_events_of_some_subjects_may_be_lost(
    arm: ArmSimulator, compute: ComputeManagementClient, webhook: Webhook
) -> None:
    await arm.subscribe(
        source="resources", endpoint_url=webhook.url, operation_names=frozenset({_WRITE})
    )
    arm.add_fault(EventFault(effect="drop", subject="/virtualMachines/vm-[0-9]$"))

    for name in ("vm-1", "vm", "vm-2"):
        await compute.virtual_machines.begin_create_or_update("rg", name, machine(UBUNTU))
    await arm.settle()

    assert [event["subject"] for event in webhook.received] == [_VM]


async def test_an_event_may_come_after_the_one_that_follows_it(
    arm: ArmSimulator, compute: ComputeManagementClient, webhook: Webhook
) -> None:
    await arm.subscribe(
        source="resources",
        endpoint_url=webhook.url,
        subject_begins_with=_VM,
        operation_names=frozenset({_WRITE, "Microsoft.Compute/virtualMachines/delete"}),
    )
    arm.add_fault(EventFault(type="WriteSuccess", effect="reorder", times=1))

    await _make_machine(compute)
    await (await compute.virtual_machines.begin_delete("rg", "vm")).result()
    await arm.settle()

    assert [event["eventType"].rsplit(".", 1)[-1] for event in webhook.received] == [
        "ResourceDeleteSuccess",
        "ResourceWriteSuccess",
    ]


async def test_an_event_that_nothing_overtakes_arrives_all_the_same(
    arm: ArmSimulator, compute: ComputeManagementClient, webhook: Webhook
) -> None:
    await arm.subscribe(
        source="resources", endpoint_url=webhook.url, operation_names=frozenset({_WRITE})
    )
    arm.add_fault(EventFault(effect="reorder", times=1))

    await _make_machine(compute)
    await arm.settle()

    assert [event["subject"] for event in webhook.received] == [_VM]


async def test_an_event_may_be_late(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, webhook: Webhook
) -> None:
    await slow_arm.subscribe(
        source="resources", endpoint_url=webhook.url, operation_names=frozenset({_WRITE})
    )
    slow_arm.add_fault(EventFault(effect="delay", delay_seconds=3600))
    await slow_compute.virtual_machines.begin_create_or_update("rg", "vm", machine(UBUNTU))
    slow_arm.cloud.scheduler.advance(timedelta(minutes=50))
    await _idle(slow_arm)
    early = len(webhook.received)

    slow_arm.cloud.scheduler.advance(timedelta(minutes=15))
    await _idle(slow_arm)

    assert (early, len(webhook.received)) == (0, 1)


@pytest.mark.azurite
@pytest.mark.parametrize("encoded", [False, True])
async def test_a_storage_queue_gets_one_event_per_message(
    arm: ArmSimulator, compute: ComputeManagementClient, azurite: Azurite, encoded: bool
) -> None:
    name = f"events-{'base64' if encoded else 'plain'}"
    async with QueueClient.from_connection_string(azurite.connection_string, name) as queue:
        await queue.create_queue()
        await arm.subscribe(
            source="resources",
            queue=QueueClient.from_connection_string(azurite.connection_string, name),
            base64=encoded,
            operation_names=frozenset({_WRITE}),
        )

        await _make_machine(compute)
        await arm.settle()

        (message,) = [each async for each in queue.receive_messages()]
    text = base64.b64decode(message.content) if encoded else message.content
    assert json.loads(text)["subject"] == _VM
