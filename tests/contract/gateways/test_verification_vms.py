"""What the steps may rely on when they boot a candidate."""

from dataclasses import replace

import pytest

from shared.domain.image_definition import ParentSource
from shared.errors import NotFoundError, RefusedError
from tests.contract.gateways.clouds import Cloud, SimulatedCloud
from tests.contract.gateways.looks import booted, finished, until
from tests.contract.gateways.things import DEFINITION, SOURCE_VERSION, SPEC, VERSION

VM = "av-ubuntu-2204-1"


async def test_a_vm_that_was_never_created_is_not_there(cloud: Cloud) -> None:
    assert await cloud.vms.status(VM) is None
    assert await cloud.vms.command_status(VM, "ssh") is None


async def test_a_candidate_boots_and_its_agent_is_ready(cloud: Cloud) -> None:
    status = await booted(cloud, VM)

    assert (status.provisioning_state, status.failure) == ("Succeeded", "")
    assert status.agent_ready is True
    if isinstance(cloud, SimulatedCloud):  # the fake has no clock of Azure's
        assert status.created_at
        assert status.provisioned_at
        assert status.provisioned_at >= status.created_at


async def test_a_vm_may_be_asked_for_again(cloud: Cloud) -> None:
    await booted(cloud, VM)

    await cloud.vms.create(VM, DEFINITION, VERSION, build_id=SPEC.build_id)

    status = await cloud.vms.status(VM)
    assert status is not None
    assert status.provisioning_state == "Succeeded"


async def test_a_vm_that_cannot_be_made_says_why(cloud: Cloud) -> None:
    cloud.fail_machine(VM, "OS provisioning did not finish in the allotted time.")

    status = await booted(cloud, VM)

    assert (status.provisioning_state, status.agent_ready) == ("Failed", False)
    assert "OS provisioning did not finish" in status.failure


async def test_a_command_ends_with_what_the_script_printed(cloud: Cloud) -> None:
    cloud.answer("ssh", exit_code=3, output="1..1\nnot ok 1 ssh\n", error="no sshd\n")
    await booted(cloud, VM)

    await cloud.vms.start_command(VM, "ssh", "check-ssh", DEFINITION, timeout_seconds=60)
    ended = await finished(cloud, VM, "ssh")

    assert (ended.exit_code, ended.timed_out, ended.failure) == (3, False, "")
    assert ended.output == "1..1\nnot ok 1 ssh\n"
    assert ended.error == "no sshd\n"


async def test_a_command_that_says_nothing_ends_well(cloud: Cloud) -> None:
    await booted(cloud, VM)

    await cloud.vms.start_command(VM, "disk", "check-disk", DEFINITION, timeout_seconds=60)

    ended = await finished(cloud, VM, "disk")
    assert (ended.exit_code, ended.failure) == (0, "")


async def test_a_command_is_not_run_a_second_time(cloud: Cloud) -> None:
    await booted(cloud, VM)
    await cloud.vms.start_command(VM, "disk", "check-disk", DEFINITION, timeout_seconds=60)
    first = await finished(cloud, VM, "disk")

    await cloud.vms.start_command(VM, "disk", "check-disk", DEFINITION, timeout_seconds=60)

    assert await cloud.vms.command_status(VM, "disk") == first


async def test_a_command_that_was_never_started_is_not_there(cloud: Cloud) -> None:
    await booted(cloud, VM)

    assert await cloud.vms.command_status(VM, "disk") is None


async def test_no_command_runs_in_a_vm_that_is_not_there(cloud: Cloud) -> None:
    with pytest.raises(NotFoundError, match=VM):
        await cloud.vms.start_command(VM, "disk", "check-disk", DEFINITION, timeout_seconds=60)


async def test_a_deleted_vm_is_gone_and_may_be_deleted_again(cloud: Cloud) -> None:
    await booted(cloud, VM)

    await cloud.vms.delete(VM)
    await cloud.vms.delete(VM)

    assert await cloud.vms.status(VM) is None


async def test_a_bare_source_version_boots_and_may_be_asked_for_again(cloud: Cloud) -> None:
    for _ in range(2):
        await cloud.vms.create_from_source(
            "av-source", DEFINITION, SOURCE_VERSION, build_id=SPEC.build_id
        )
    status = await until(
        lambda: cloud.vms.status("av-source"), lambda s: s.provisioning_state != "Creating"
    )
    assert status.agent_ready is True


async def test_a_golden_image_has_no_bare_source_to_boot(cloud: Cloud) -> None:
    child = replace(DEFINITION, source=ParentSource(image="base", channel="stable"))
    with pytest.raises(RefusedError):
        await cloud.vms.create_from_source("av-source", child, "1.0.0", build_id="b")
