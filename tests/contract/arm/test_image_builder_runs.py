"""Runs of image templates: their phases, their ends and what they leave behind."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.imagebuilder.aio import ImageBuilderClient

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import RunFault
from tests.contract.arm.conftest import make_gallery
from tests.contract.arm.requests import IMAGE, NEWEST_UBUNTU, template


async def _create(builder: ImageBuilderClient, body: Any) -> None:
    templates = builder.virtual_machine_image_templates
    await templates.begin_create_or_update("rg", "t", body)


async def _run(builder: ImageBuilderClient) -> dict[str, Any]:
    templates = builder.virtual_machine_image_templates
    poller = await templates.begin_run("rg", "t")
    with suppress(HttpResponseError):  # a failed run is told by its status, too
        await poller.result()
    return await _status(builder)


async def _status(builder: ImageBuilderClient) -> dict[str, Any]:
    made = await builder.virtual_machine_image_templates.get("rg", "t")
    status = made["properties"]["lastRunStatus"]
    return dict(status.as_dict() if hasattr(status, "as_dict") else status)


async def _slow_template(sim: ArmSimulator, compute: Any, builder: Any, **more: Any) -> None:
    await make_gallery(compute)
    await _create(builder, template(**more))
    sim.cloud.scheduler.advance(timedelta(minutes=5))


async def test_a_run_goes_through_its_phases_and_takes_a_quarter_of_an_hour(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, slow_builder: ImageBuilderClient
) -> None:
    await _slow_template(slow_arm, slow_compute, slow_builder)
    await slow_builder.virtual_machine_image_templates.begin_run("rg", "t")

    seen = []
    for _ in range(17):
        status = await _status(slow_builder)
        seen.append(status.get("runSubState", status["runState"]))
        slow_arm.cloud.scheduler.advance(timedelta(minutes=1))

    assert list(dict.fromkeys(seen)) == [
        "Queued",
        "Building",
        "Customizing",
        "Distributing",
        "Succeeded",
    ]
    assert seen.index("Succeeded") == 16


async def test_a_running_build_ends_in_the_year_one(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, slow_builder: ImageBuilderClient
) -> None:
    await _slow_template(slow_arm, slow_compute, slow_builder)
    await slow_builder.virtual_machine_image_templates.begin_run("rg", "t")

    status = await _status(slow_builder)

    assert status["endTime"] == "0001-01-01T00:00:00Z"
    assert status["runState"] == "Running"
    assert status["message"] == ""
    assert len(status["startTime"].split(".")[1]) == len("123456789Z")


async def test_validation_is_a_phase_where_there_is_something_to_validate(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, slow_builder: ImageBuilderClient
) -> None:
    await _slow_template(slow_arm, slow_compute, slow_builder, validators=True)
    await slow_builder.virtual_machine_image_templates.begin_run("rg", "t")

    slow_arm.cloud.scheduler.advance(timedelta(seconds=30 + 260 + 260))

    assert (await _status(slow_builder))["runSubState"] == "Validating"


@pytest.mark.usefixtures("gallery")
async def test_a_run_makes_the_gallery_version_and_says_which(
    compute: ComputeManagementClient, image_builder: ImageBuilderClient
) -> None:
    await _create(image_builder, template(regions=("westeurope", "North Europe")))

    status = await _run(image_builder)
    output = await image_builder.virtual_machine_image_templates.get_run_output("rg", "t", "out")
    made = await compute.gallery_image_versions.get("rg", "g", "i", "1.0.0")

    assert status["runState"] == "Succeeded"
    assert output["properties"]["artifactId"] == made.id
    assert made.tags == {
        "assay": "yes",
        "VMImageBuilderSource": "PlatformImage Canonical::0001-com-ubuntu-server-jammy::"
        f"22_04-lts-gen2::latest ({NEWEST_UBUNTU})",
        "correlationId": (made.tags or {})["correlationId"],
    }
    profile = made["properties"]["publishingProfile"]
    assert profile["excludeFromLatest"] is True
    assert [r["name"] for r in profile["targetRegions"]] == ["West Europe", "North Europe"]


@pytest.mark.usefixtures("gallery")
async def test_without_a_number_the_version_is_one_patch_above_the_highest(
    compute: ComputeManagementClient, image_builder: ImageBuilderClient
) -> None:
    await _create(image_builder, template(IMAGE))

    await _run(image_builder)
    await _run(image_builder)

    versions = compute.gallery_image_versions.list_by_gallery_image("rg", "g", "i")
    assert [v.name async for v in versions] == ["1.0.0", "1.0.1"]


@pytest.mark.usefixtures("gallery")
async def test_a_number_that_exists_fails_the_run(image_builder: ImageBuilderClient) -> None:
    await _create(image_builder, template())
    await _run(image_builder)

    status = await _run(image_builder)

    assert status["runState"] == "Failed"
    assert status["message"].startswith("PropertyChangeNotAllowed")


async def test_a_second_run_is_refused_while_one_is_running(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, slow_builder: ImageBuilderClient
) -> None:
    await _slow_template(slow_arm, slow_compute, slow_builder)
    templates = slow_builder.virtual_machine_image_templates
    await templates.begin_run("rg", "t")

    with pytest.raises(ResourceExistsError) as again:
        await templates.begin_run("rg", "t")
    with pytest.raises(ResourceExistsError) as deletion:
        await templates.begin_delete("rg", "t")

    for refusal in (again, deletion):
        assert refusal.value.error is not None
        assert refusal.value.error.code == "OperationNotAllowed"


@pytest.mark.usefixtures("gallery")
async def test_a_failed_run_leaves_the_template_succeeded(
    arm: ArmSimulator, image_builder: ImageBuilderClient, compute: ComputeManagementClient
) -> None:
    arm.add_fault(RunFault(message="Packer build command has failed: exit status 1.", times=1))
    await _create(image_builder, template())

    status = await _run(image_builder)
    made = await image_builder.virtual_machine_image_templates.get("rg", "t")

    assert status["runState"] == "Failed"
    assert status["message"] == "Packer build command has failed: exit status 1."
    assert made["properties"]["provisioningState"] == "Succeeded"
    versions = compute.gallery_image_versions.list_by_gallery_image("rg", "g", "i")
    assert [v.name async for v in versions] == []


@pytest.mark.usefixtures("gallery")
async def test_a_run_may_fail_although_the_version_was_distributed(
    arm: ArmSimulator, image_builder: ImageBuilderClient, compute: ComputeManagementClient
) -> None:
    arm.add_fault(RunFault(message="context deadline exceeded", distributed=True))
    await _create(image_builder, template())

    status = await _run(image_builder)
    output = await image_builder.virtual_machine_image_templates.get_run_output("rg", "t", "out")

    assert status["runState"] == "Failed"
    assert output["properties"]["artifactId"].endswith("/versions/1.0.0")
    assert (await compute.gallery_image_versions.get("rg", "g", "i", "1.0.0")).name == "1.0.0"


@pytest.mark.usefixtures("gallery")
async def test_a_failed_validation_distributes_only_where_the_template_says_so(
    arm: ArmSimulator, image_builder: ImageBuilderClient, compute: ComputeManagementClient
) -> None:
    arm.add_fault(RunFault(phase="Validating", message="validation failed"))
    check = {"type": "Shell", "inline": ["false"]}
    validate = {"continueDistributeOnFailure": True, "inVMValidations": [check]}
    await _create(image_builder, template(validate=validate))

    status = await _run(image_builder)

    assert status["runState"] == "Failed"
    versions = compute.gallery_image_versions.list_by_gallery_image("rg", "g", "i")
    assert [v.name async for v in versions] == ["1.0.0"]


async def test_a_canceled_run_is_canceling_before_it_is_canceled(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, slow_builder: ImageBuilderClient
) -> None:
    await _slow_template(slow_arm, slow_compute, slow_builder)
    templates = slow_builder.virtual_machine_image_templates
    await templates.begin_run("rg", "t")

    await templates.begin_cancel("rg", "t")
    at_once = await _status(slow_builder)
    slow_arm.cloud.scheduler.advance(timedelta(minutes=2))
    later = await _status(slow_builder)

    assert at_once["runState"] == "Canceling"
    assert at_once["message"] == "Canceling image build"
    assert "runSubState" not in at_once
    assert later["runState"] == "Canceled"


async def test_canceling_may_never_end(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, slow_builder: ImageBuilderClient
) -> None:
    slow_arm.add_fault(RunFault(run_state="Succeeded", stuck_canceling=True))
    await _slow_template(slow_arm, slow_compute, slow_builder)
    templates = slow_builder.virtual_machine_image_templates
    await templates.begin_run("rg", "t")
    await templates.begin_cancel("rg", "t")

    slow_arm.cloud.scheduler.advance(timedelta(days=3))

    assert (await _status(slow_builder))["runState"] == "Canceling"
    with pytest.raises(ResourceExistsError, match="'canceling'"):
        await templates.begin_delete("rg", "t")
