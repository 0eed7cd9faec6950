"""What goes over the wire: the parts of requests no answer shows."""

from dataclasses import replace
from typing import Any

import pytest

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import HttpFault
from shared.domain.image_definition import Customizer, CustomizerKind, OperatingSystem
from shared.errors import RefusedError, UnavailableError
from shared.gateways.clients import AzureClients
from shared.gateways.image_builder import ImageBuilderGateway
from shared.gateways.templates import template_body
from shared.ports import Publishing
from shared.settings import Settings
from tests.arm_plugin import FixedToken
from tests.contract.gateways.clouds import SimulatedCloud
from tests.contract.gateways.looks import booted, built, created
from tests.contract.gateways.things import DEFINITION, SPEC, VERSION

IMAGE = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/galleries/assay/images/i"
VM = "av-ubuntu-2204-1"


@pytest.fixture
def cloud(arm: ArmSimulator, clients: AzureClients, settings: Settings) -> SimulatedCloud:
    return SimulatedCloud(arm, clients, settings)


def _bodies(arm: ArmSimulator, operation: str) -> list[dict[str, Any]]:
    return [e.request_body for e in arm.cloud.traffic if e.operation == operation]


def _customizers(settings: Settings, *customizers: Customizer) -> list[dict[str, Any]]:
    body = template_body(replace(SPEC, customizers=customizers), IMAGE, settings)
    written: list[dict[str, Any]] = body["properties"]["customize"]
    return written


async def test_a_template_is_pinned_excluded_and_sent_to_every_region(
    arm: ArmSimulator, cloud: SimulatedCloud, settings: Settings
) -> None:
    await created(cloud)

    [sent] = _bodies(arm, "VirtualMachineImageTemplates_CreateOrUpdate")
    assert sent["location"] == "westeurope"
    assert sent["tags"] == {"assay-build": "ubuntu-2204-0123456789ab", "assay-attempt": "1"}
    assert sent["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": {settings.build_identity_id: {}},
    }
    assert sent["properties"]["source"] == {
        "type": "PlatformImage",
        "publisher": "Canonical",
        "offer": "0001-com-ubuntu-server-jammy",
        "sku": "22_04-lts-gen2",
        "version": "22.04.202411080",
    }
    assert sent["properties"]["buildTimeoutInMinutes"] == 120
    assert sent["properties"]["vmProfile"] == {"vmSize": "Standard_D2s_v5"}
    assert sent["properties"]["distribute"] == [
        {
            "type": "SharedImage",
            "galleryImageId": f"{cloud.gallery.image_id(DEFINITION)}/versions/{VERSION}",
            "runOutputName": SPEC.name,
            "excludeFromLatest": True,
            "artifactTags": {"assay-definition": "ubuntu-2204"},
            "targetRegions": [
                {"name": "westeurope", "replicaCount": 1, "storageAccountType": "Standard_LRS"},
                {"name": "northeurope", "replicaCount": 2, "storageAccountType": "Standard_LRS"},
            ],
        }
    ]


def test_a_shell_script_runs_whole_as_root_from_a_file(settings: Settings) -> None:
    script = "#!/bin/bash\ncat > /etc/motd <<'EOF'\nhello $HOME\nEOF"

    [sent] = _customizers(
        settings, Customizer(name="motd 1", kind=CustomizerKind.SHELL, script=script)
    )

    assert sent == {
        "type": "Shell",
        "name": "motd 1",
        "inline": [
            "cat > /tmp/assay-motd-1.sh <<'ASSAY_SCRIPT_END'\n"
            "#!/bin/bash\ncat > /etc/motd <<'EOF'\nhello $HOME\nEOF\n"
            "ASSAY_SCRIPT_END\n"
            "chmod +x /tmp/assay-motd-1.sh\n"
            "sudo bash /tmp/assay-motd-1.sh"
        ],
    }


def test_a_shell_script_that_would_end_early_is_refused(settings: Settings) -> None:
    script = "cat <<'ASSAY_SCRIPT_END'\nhello\nASSAY_SCRIPT_END\n"

    with pytest.raises(RefusedError, match="customizer motd holds a line ASSAY_SCRIPT_END"):
        _customizers(settings, Customizer(name="motd", kind=CustomizerKind.SHELL, script=script))


def test_windows_customizers_run_elevated_as_the_system(settings: Settings) -> None:
    sent = _customizers(
        settings,
        Customizer(
            name="feature", kind=CustomizerKind.POWERSHELL, script="$a = 1\nWrite-Host $a\n"
        ),
        Customizer(name="update", kind=CustomizerKind.WINDOWS_UPDATE),
        Customizer(name="restart", kind=CustomizerKind.WINDOWS_RESTART),
    )

    assert sent == [
        {
            "type": "PowerShell",
            "name": "feature",
            "inline": ["$a = 1", "Write-Host $a"],
            "runElevated": True,
            "runAsSystem": True,
        },
        {"type": "WindowsUpdate", "name": "update"},
        {"type": "WindowsRestart", "name": "restart"},
    ]


async def test_a_run_hidden_by_a_gateway_timeout_is_not_asked_for_twice(
    arm: ArmSimulator, cloud: SimulatedCloud, settings: Settings
) -> None:
    await created(cloud)
    patient = AzureClients(settings, FixedToken(), retries=3)
    arm.add_fault(HttpFault(operation="Templates_Run", status=504, commit=True, times=1))

    with pytest.raises(UnavailableError, match="504"):
        await ImageBuilderGateway(patient, settings).run(SPEC.name)

    await patient.close()
    assert len(_bodies(arm, "VirtualMachineImageTemplates_Run")) == 1
    status = await cloud.image_builder.status(SPEC.name)
    assert status is not None
    assert status.run_state != ""


async def test_nothing_is_waited_for(arm: ArmSimulator, cloud: SimulatedCloud) -> None:
    await booted(cloud, VM)
    await cloud.vms.start_command(VM, "disk", "check", DEFINITION, timeout_seconds=60)
    await cloud.vms.delete(VM)
    await cloud.image_builder.delete(SPEC.name)

    assert [e.url for e in arm.cloud.traffic if "peration" in e.url.split("?")[0]] == []


async def test_publishing_sends_the_whole_list_of_regions_and_no_source(
    arm: ArmSimulator, cloud: SimulatedCloud
) -> None:
    image_id, version = await built(cloud)

    publishing = Publishing(regions={"westeurope": 1, "northeurope": 2}, excluded_from_latest=False)
    await cloud.gallery.set_publishing(image_id, version, publishing)

    [sent] = _bodies(arm, "GalleryImageVersions_Update")
    profile = sent["properties"]["publishingProfile"]
    assert sent["properties"]["storageProfile"] == {}
    assert profile["excludeFromLatest"] is False
    assert [(r["name"], r["regionalReplicaCount"]) for r in profile["targetRegions"]] == [
        ("westeurope", 1),
        ("northeurope", 2),
    ]


async def test_tags_that_are_there_cost_no_write(arm: ArmSimulator, cloud: SimulatedCloud) -> None:
    image_id, version = await built(cloud)

    await cloud.gallery.tag(image_id, version, {"assay-definition": "ubuntu-2204"})

    assert _bodies(arm, "GalleryImageVersions_Update") == []


async def test_the_gallery_image_says_what_the_definition_says(
    arm: ArmSimulator, cloud: SimulatedCloud
) -> None:
    await created(cloud)

    [sent] = _bodies(arm, "GalleryImages_CreateOrUpdate")
    assert sent["properties"] == {
        "description": "Hardened Ubuntu 22.04",
        "osType": "Linux",
        "osState": "Generalized",
        "hyperVGeneration": "V2",
        "architecture": "x64",
        "identifier": {"publisher": "platform", "offer": "ubuntu", "sku": "2204"},
        "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
    }


async def test_a_verification_vm_leaves_nothing_behind_and_has_no_public_address(
    arm: ArmSimulator, cloud: SimulatedCloud, settings: Settings
) -> None:
    await booted(cloud, VM)

    [sent] = _bodies(arm, "VirtualMachines_CreateOrUpdate")
    properties = sent["properties"]
    version_id = f"{cloud.gallery.image_id(DEFINITION)}/versions/{VERSION}"
    [nic] = properties["networkProfile"]["networkInterfaceConfigurations"]
    assert sent["tags"] == {"assay-build": "ubuntu-2204-0123456789ab"}
    assert properties["hardwareProfile"] == {"vmSize": "Standard_B2s"}
    assert properties["storageProfile"]["imageReference"] == {"id": version_id}
    assert properties["storageProfile"]["osDisk"]["deleteOption"] == "Delete"
    assert properties["networkProfile"]["networkApiVersion"] == "2022-11-01"
    assert nic["properties"] == {
        "primary": True,
        "deleteOption": "Delete",
        "ipConfigurations": [
            {"name": "ip", "properties": {"subnet": {"id": settings.verify_subnet_id}}}
        ],
    }
    assert properties["securityProfile"] == {
        "securityType": "TrustedLaunch",
        "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
    }


async def test_every_verification_vm_has_a_password_of_its_own_that_azure_takes(
    arm: ArmSimulator, cloud: SimulatedCloud
) -> None:
    windows = replace(DEFINITION, os=OperatingSystem.WINDOWS, security_type=None)
    await booted(cloud, VM)
    await cloud.vms.create("av-2", windows, VERSION, build_id=SPEC.build_id)

    first, second = _bodies(arm, "VirtualMachines_CreateOrUpdate")
    passwords = [b["properties"]["osProfile"]["adminPassword"] for b in (first, second)]
    assert passwords[0] != passwords[1]
    for password in passwords:
        assert 12 <= len(password) <= 72
        assert any(c.islower() for c in password)
        assert any(c.isupper() for c in password)
        assert any(c.isdigit() for c in password)
        assert not password.isalnum()
    assert "securityProfile" not in second["properties"]
    assert "windowsConfiguration" in second["properties"]["osProfile"]


async def test_a_command_is_sent_with_its_script_and_time_and_not_waited_for(
    arm: ArmSimulator, cloud: SimulatedCloud
) -> None:
    await booted(cloud, VM)

    await cloud.vms.start_command(VM, "disk", "df -h\n", DEFINITION, timeout_seconds=90)

    [sent] = _bodies(arm, "VirtualMachineRunCommands_CreateOrUpdate")
    assert sent["properties"] == {
        "source": {"script": "df -h\n"},
        "asyncExecution": True,
        "timeoutInSeconds": 90,
    }
