"""Verification VMs as Azure wants them written and as we read them."""

import secrets
import string
from typing import TYPE_CHECKING, cast

from shared.domain.image_definition import ImageDefinition, OperatingSystem
from shared.gateways.words import moment, word
from shared.ports import MachineStatus, RunCommandStatus
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.mgmt.compute import types
    from azure.mgmt.compute.models import (
        InstanceViewStatus,
        VirtualMachine,
        VirtualMachineRunCommand,
    )

_TRUSTED_LAUNCH = {"TrustedLaunch", "TrustedLaunchSupported"}
_SUFFIX = "Aa1!"
"""One of each kind of character Azure asks a password for
(https://learn.microsoft.com/azure/virtual-machines/linux/faq)."""
_UNFINISHED = {"", "Unknown", "Pending", "Running"}


def machine_body(
    definition: ImageDefinition, image: dict[str, str], build_id: str, settings: Settings
) -> "types.VirtualMachine":
    """Return a VM of *image*, in the verification subnet and without a public address.

    Its disk and network interface go when it goes. Nobody can sign in: the password is thrown
    away, and commands reach the guest through its agent.
    """
    properties: types.VirtualMachineProperties = {
        "hardwareProfile": {"vmSize": definition.verify_vm_size},
        "storageProfile": _storage(image),
        "osProfile": _os_profile(definition),
        "networkProfile": _network(settings.verify_subnet_id),
    }
    if definition.security_type in _TRUSTED_LAUNCH:
        properties["securityProfile"] = {
            "securityType": "TrustedLaunch",
            "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
        }
    # The SDK's types ask for some optional keys too, hence the casts.
    return cast(
        "types.VirtualMachine",
        {
            "location": settings.location,
            "tags": {"assay-build": build_id},
            "properties": properties,
        },
    )


def command_body(
    script: str, timeout_seconds: int, location: str
) -> "types.VirtualMachineRunCommand":
    """Return a managed run command: Azure answers before the script has ended."""
    properties: types.VirtualMachineRunCommandProperties = {
        "source": {"script": script},
        "asyncExecution": True,
        "timeoutInSeconds": timeout_seconds,
    }
    return {"location": location, "tags": {}, "properties": properties}


def _storage(image: dict[str, str]) -> "types.StorageProfile":
    return cast(
        "types.StorageProfile",
        {
            "imageReference": image,
            "osDisk": {
                "createOption": "FromImage",
                "deleteOption": "Delete",
                "managedDisk": {"storageAccountType": "StandardSSD_LRS"},
            },
        },
    )


def _os_profile(definition: ImageDefinition) -> "types.OSProfile":
    alphabet = string.ascii_letters + string.digits
    profile: types.OSProfile = {
        "computerName": "assayverify",
        "adminUsername": "assay",
        "adminPassword": "".join(secrets.choice(alphabet) for _ in range(40)) + _SUFFIX,
    }
    if definition.os is OperatingSystem.LINUX:
        profile["linuxConfiguration"] = {
            "disablePasswordAuthentication": False,
            "provisionVMAgent": True,
        }
    else:
        profile["windowsConfiguration"] = {
            "provisionVMAgent": True,
            "enableAutomaticUpdates": False,
        }
    return profile


def _network(subnet_id: str) -> "types.NetworkProfile":
    return {
        "networkApiVersion": "2022-11-01",
        "networkInterfaceConfigurations": [
            {
                "name": "nic",
                "properties": {
                    "primary": True,
                    "deleteOption": "Delete",
                    "ipConfigurations": [
                        {"name": "ip", "properties": {"subnet": {"id": subnet_id}}}
                    ],
                },
            }
        ],
    }


_PROVISIONED = "ProvisioningState/succeeded"
"""Status of the VM with the time Azure was done with it, and of its agent with the time of the
agent's last report, which is later at every look."""


def read_machine(vm: "VirtualMachine") -> MachineStatus:
    """Return what *vm*, read with its instance view, says of itself."""
    view = vm.instance_view
    state = word(vm.provisioning_state)
    statuses = (view.statuses or []) if view else []
    agent = (view.vm_agent.statuses or []) if view and view.vm_agent else []
    done = next((s for s in statuses if s.code == _PROVISIONED), None)
    return MachineStatus(
        provisioning_state=state,
        agent_ready=any(s.code == _PROVISIONED for s in agent),
        failure=_fault(statuses) if state == "Failed" else "",
        created_at=moment(vm.time_created),
        provisioned_at=moment(done.time) if done else None,
        agent_version=(view.vm_agent.vm_agent_version or "") if view and view.vm_agent else "",
    )


def _fault(statuses: "list[InstanceViewStatus]") -> str:
    said = [
        f"{s.code}: {s.message}" if s.message else f"{s.code}"
        for s in statuses
        if s.level == "Error" or "/failed" in (s.code or "").lower()
    ]
    return "; ".join(said)[:1000] or "Azure gave no reason"


def read_command(command: "VirtualMachineRunCommand") -> RunCommandStatus:
    """Return what *command*, read with its instance view, says of itself."""
    view = command.instance_view
    state = word(view.execution_state) if view else ""
    if state in _UNFINISHED or view is None:
        if command.provisioning_state == "Failed":
            said = view.execution_message if view else ""
            return RunCommandStatus(finished=True, failure=said or "Azure gave no reason")
        return RunCommandStatus(
            finished=False, started_at=moment(view.start_time) if view else None
        )
    failure = ""
    if state == "Canceled" or (state == "Failed" and not view.exit_code):
        failure = view.execution_message or f"the run command ended as {state}"
    return RunCommandStatus(
        finished=True,
        exit_code=view.exit_code,
        output=view.output or "",
        error=view.error or "",
        timed_out=state == "TimedOut",
        failure=failure,
        started_at=moment(view.start_time),
        ended_at=moment(view.end_time),
    )
