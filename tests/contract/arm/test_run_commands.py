"""Managed run commands, and what is inside the machines they run on."""

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.imagebuilder.aio import ImageBuilderClient

from localcloud.arm import ArmSimulator
from localcloud.arm.control_guests import guest_of
from localcloud.arm.guest_commands import GuestRule
from tests.contract.arm.requests import (
    GROUP,
    IMAGE,
    TATTOO,
    UBUNTU,
    a_gallery,
    definition,
    machine,
    run_command,
    scale_set,
    template,
)

_READ_TATTOO = "#!/bin/sh\nset -eu\n# what are you?\n\ncat /etc/assay/tattoo.json\n"


async def _build(builder: ImageBuilderClient, name: str = "t", **more: Any) -> None:
    templates = builder.virtual_machine_image_templates
    await (await templates.begin_create_or_update("rg", name, template(**more))).result()
    await (await templates.begin_run("rg", name)).result()


async def _run(
    compute: ComputeManagementClient, script: str, name: str = "check", **properties: Any
) -> dict[str, Any]:
    commands = compute.virtual_machine_run_commands
    body = run_command(script, **properties)
    await (await commands.begin_create_or_update("rg", "vm", name, body)).result()
    made = await commands.get_by_virtual_machine("rg", "vm", name, expand="instanceView")
    view = made["properties"]["instanceView"]
    return {key: view[key] for key in ("executionState", "exitCode", "output", "error")}


async def _machine(compute: ComputeManagementClient, image: Any) -> None:
    await compute.virtual_machines.begin_create_or_update("rg", "vm", machine(image))


@pytest.mark.usefixtures("gallery")
async def test_a_machine_has_the_file_its_images_customizer_wrote(
    compute: ComputeManagementClient, image_builder: ImageBuilderClient
) -> None:
    await _build(image_builder)
    await _machine(compute, f"{IMAGE}/versions/1.0.0")

    assert await _run(compute, _READ_TATTOO) == {
        "executionState": "Succeeded",
        "exitCode": 0,
        "output": '{"build": "b-1"}\n',
        "error": "",
    }


async def test_a_machine_from_the_marketplace_has_no_tattoo(
    compute: ComputeManagementClient,
) -> None:
    await _machine(compute, UBUNTU)

    assert await _run(compute, _READ_TATTOO) == {
        "executionState": "Failed",
        "exitCode": 1,
        "output": "",
        "error": "cat: /etc/assay/tattoo.json: No such file or directory\n",
    }


@pytest.mark.usefixtures("gallery")
async def test_an_image_made_from_an_image_keeps_its_files_and_may_overwrite_them(
    compute: ComputeManagementClient, image_builder: ImageBuilderClient
) -> None:
    await _build(image_builder)
    child = [line.replace("b-1", "b-2") for line in TATTOO]
    await _build(
        image_builder,
        "child",
        gallery_image=f"{IMAGE}/versions/2.0.0",
        source={"type": "SharedImageVersion", "imageVersionId": f"{IMAGE}/versions/1.0.0"},
        customize=[
            {"type": "Shell", "name": "tattoo", "inline": child},
            {
                "type": "Shell",
                "name": "motd",
                "inline": ["sudo tee /etc/motd >/dev/null <<'X'\nhi\nX"],
            },
        ],
    )
    await _machine(compute, f"{IMAGE}/versions/2.0.0")

    assert (await _run(compute, _READ_TATTOO))["output"] == '{"build": "b-2"}\n'
    assert (await _run(compute, "cat /etc/motd"))["output"] == "hi\n"


async def test_a_windows_machine_has_the_registry_values_its_customizer_wrote(
    compute: ComputeManagementClient, image_builder: ImageBuilderClient
) -> None:
    await compute.galleries.begin_create_or_update("rg", "g", a_gallery())
    await compute.gallery_images.begin_create_or_update("rg", "g", "i", definition(os="Windows"))
    key = r"HKLM:\SOFTWARE\Assay\Tattoo"
    inline = [
        f"New-Item -Path '{key}' -Force | Out-Null",
        f"New-ItemProperty -Path '{key}' -Name 'build' -Value 'b-1' -PropertyType String -Force",
        f"Set-ItemProperty -Path '{key}' -Name 'owner' -Value 'it''s us'",
    ]
    windows = {
        "type": "PlatformImage",
        "publisher": "MicrosoftWindowsServer",
        "offer": "WindowsServer",
        "sku": "2022-datacenter-azure-edition",
        "version": "latest",
    }
    customize = [{"type": "PowerShell", "name": "tattoo", "inline": inline}]
    await _build(image_builder, source=windows, customize=customize)
    await _machine(compute, f"{IMAGE}/versions/1.0.0")
    script = (
        f"$values = Get-ItemProperty -Path '{key}'\n"
        'foreach ($name in $names) { Write-Output "$name=$value" }\n'
    )

    there = await _run(compute, script)
    absent = await _run(compute, script.replace("Tattoo", "Other"))

    assert there["output"] == "build=b-1\nowner=it's us\n"
    assert absent["exitCode"] == 1
    assert absent["error"].startswith("Get-ItemProperty : Cannot find path")


@pytest.mark.usefixtures("gallery")
async def test_a_check_fails_until_the_customizer_that_cures_it_is_in_the_image(
    arm: ArmSimulator, compute: ComputeManagementClient, image_builder: ImageBuilderClient
) -> None:
    arm.add_guest_rule(
        GuestRule(
            command="^check-ssh$",
            image="/images/i/",
            unless_customizer="^repair-ssh$",
            exit_code=3,
            stderr="PermitRootLogin is yes",
        )
    )
    await _build(image_builder)
    await _machine(compute, f"{IMAGE}/versions/1.0.0")
    sick = await _run(compute, "sshd -T", "check-ssh")
    other = await _run(compute, "sshd -T", "check-disk")
    await (await compute.virtual_machines.begin_delete("rg", "vm")).result()
    cure = {"type": "Shell", "name": "repair-ssh", "inline": ["sed -i s/yes/no/ /etc/ssh/x"]}
    await _build(image_builder, "t2", gallery_image=f"{IMAGE}/versions/1.0.1", customize=[cure])
    await _machine(compute, f"{IMAGE}/versions/1.0.1")

    cured = await _run(compute, "sshd -T", "check-ssh")

    assert sick == {
        "executionState": "Failed",
        "exitCode": 3,
        "output": "",
        "error": "PermitRootLogin is yes",
    }
    assert other["exitCode"] == 0
    assert cured["exitCode"] == 0


async def test_a_rule_may_hold_a_number_of_times(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    arm.add_guest_rule(GuestRule(command="flaky", times=1))
    await _machine(compute, UBUNTU)

    assert [(await _run(compute, "true", "flaky"))["exitCode"] for _ in range(2)] == [1, 0]


async def test_only_the_last_four_kilobytes_of_the_output_are_kept(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    arm.add_guest_rule(GuestRule(exit_code=0, stdout="a" * 10 + "b" * 4096))
    await _machine(compute, UBUNTU)

    assert (await _run(compute, "big"))["output"] == "b" * 4096


async def test_a_run_command_is_pending_then_running_then_done(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient
) -> None:
    await _machine(slow_compute, UBUNTU)
    slow_arm.cloud.scheduler.advance(timedelta(minutes=1))
    commands = slow_compute.virtual_machine_run_commands
    await commands.begin_create_or_update("rg", "vm", "check", run_command("true"))

    seen = []
    for _ in range(3):
        made = await commands.get_by_virtual_machine("rg", "vm", "check", expand="instanceView")
        view = made["properties"]["instanceView"]
        seen.append((view["executionState"], "startTime" in view, "endTime" in view))
        slow_arm.cloud.scheduler.advance(timedelta(seconds=10))

    assert seen == [
        ("Pending", False, False),
        ("Running", True, False),
        ("Succeeded", True, True),
    ]


async def test_a_failed_script_fails_the_operation_only_where_asked(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    arm.add_guest_rule(GuestRule())
    await _machine(compute, UBUNTU)

    mild = await _run(compute, "false")
    with pytest.raises(HttpResponseError):
        await _run(compute, "false", treatFailureAsDeploymentFailure=True)

    assert mild["executionState"] == "Failed"


async def test_a_machine_that_is_still_being_made_takes_no_run_command(
    slow_compute: ComputeManagementClient,
) -> None:
    await _machine(slow_compute, UBUNTU)

    with pytest.raises(ResourceExistsError) as refusal:
        await slow_compute.virtual_machine_run_commands.begin_create_or_update(
            "rg", "vm", "check", run_command("true")
        )

    assert refusal.value.error is not None
    assert refusal.value.error.code == "OperationNotAllowed"


async def test_instances_of_a_uniform_scale_set_have_run_commands_of_their_own(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    await compute.virtual_machine_scale_sets.begin_create_or_update("rg", "set", scale_set(UBUNTU))
    instance = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0"
    guest_of(arm.cloud, instance).files["/etc/motd"] = "hi\n"
    commands = compute.virtual_machine_scale_set_vm_run_commands

    for number in ("0", "1"):
        body = run_command("cat /etc/motd")
        await (await commands.begin_create_or_update("rg", "set", number, "motd", body)).result()

    first = await commands.get("rg", "set", "0", "motd", expand="instanceView")
    other = await commands.get("rg", "set", "1", "motd", expand="instanceView")
    assert first.id == f"{instance}/runCommands/motd"
    assert first.type == "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommands"
    assert first["properties"]["instanceView"]["output"] == "hi\n"
    assert other["properties"]["instanceView"]["exitCode"] == 1
    await (await commands.begin_delete("rg", "set", "0", "motd")).result()
    assert [c.name async for c in commands.list("rg", "set", "0")] == []
    with pytest.raises(ResourceNotFoundError):
        await commands.get("rg", "set", "9", "motd")


async def test_run_commands_are_listed_and_deleted(compute: ComputeManagementClient) -> None:
    await _machine(compute, UBUNTU)
    await _run(compute, "true", "a")
    await _run(compute, "true", "b")
    commands = compute.virtual_machine_run_commands

    await (await commands.begin_delete("rg", "vm", "a")).result()

    assert [c.name async for c in commands.list_by_virtual_machine("rg", "vm")] == ["b"]


@pytest.mark.usefixtures("gallery")
async def test_a_script_that_was_written_and_then_run_counts_too(
    compute: ComputeManagementClient, image_builder: ImageBuilderClient
) -> None:
    script = ["cat > /tmp/a.sh <<'SCRIPT'", *TATTOO, "SCRIPT", "sudo bash /tmp/a.sh"]
    await _build(image_builder, customize=[{"type": "Shell", "name": "a", "inline": script}])
    await _machine(compute, f"{IMAGE}/versions/1.0.0")

    assert (await _run(compute, _READ_TATTOO))["output"] == '{"build": "b-1"}\n'
