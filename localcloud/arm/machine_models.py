"""What a virtual machine says of itself: agent, power, network."""

from copy import deepcopy
from typing import TYPE_CHECKING

from localcloud.arm.ids import with_offset
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

RETRY_SECONDS = 10  # recorded on scale set writes and deletes
_SECRET_OS_FIELDS = ("adminPassword", "customData")
_LINUX_DEFAULTS: Json = {"provisionVMAgent": True, "disablePasswordAuthentication": False}
_WINDOWS_DEFAULTS: Json = {
    "provisionVMAgent": True,
    "enableAutomaticUpdates": True,
    "enableVMAgentPlatformUpdates": False,
}
_AGENT_VERSION = "2.11.1.12"


def os_profile(asked: Json, guest_os: str) -> Json:
    """The OS profile without its secrets, with Azure's defaults."""
    profile = {k: v for k, v in deepcopy(asked).items() if k not in _SECRET_OS_FIELDS}
    windows = guest_os == "Windows"
    key = "windowsConfiguration" if windows else "linuxConfiguration"
    default = _WINDOWS_DEFAULTS if windows else _LINUX_DEFAULTS
    profile[key] = {**default, **(profile.get(key) or {})}
    return {
        **profile,
        "secrets": profile.get("secrets") or [],
        "allowExtensionOperations": True,
        "requireGuestProvisionSignal": True,
    }


def network_profile(asked: Json, subscription: str, group: str) -> Json:
    """The network profile; interfaces described in the request are made without being asked."""
    interfaces = deepcopy(asked.get("networkInterfaces") or [])
    for index, config in enumerate(asked.get("networkInterfaceConfigurations") or []):
        wanted = config.get("properties") or {}
        interfaces.append(
            {
                "id": f"/subscriptions/{subscription}/resourceGroups/{group}/providers/"
                f"Microsoft.Network/networkInterfaces/{config['name']}",
                "properties": {
                    "primary": bool(wanted.get("primary", index == 0)),
                    "deleteOption": wanted.get("deleteOption", "Detach"),
                },
            }
        )
    return {"networkInterfaces": interfaces}


def shown(machine: Resource) -> Json:
    """A machine as it shows itself."""
    body = deepcopy(machine.body)
    if machine.facts["power"] == "deallocated":
        # Recorded: a deallocated machine does not tell its disk's size and kind.
        disk = body["properties"]["storageProfile"]["osDisk"]
        disk.pop("diskSizeGB", None)
        disk["managedDisk"].pop("storageAccountType", None)
    return body


def instance_view(cloud: "Cloud", machine: Resource) -> Json:
    """The instance view: agent, disk and power of a machine."""
    now = with_offset(cloud.clock.now())
    power = str(machine.facts["power"])
    provisioned = _provisioning_status(machine, now)
    view: Json = {
        **_agent_part(machine, now),
        "disks": [
            {
                "name": machine.properties["storageProfile"]["osDisk"]["name"],
                "statuses": [provisioned],
            }
        ],
        "hyperVGeneration": "V2",
        "statuses": [
            *_os_state(machine),
            provisioned,
            {"code": f"PowerState/{power}", "level": "Info", "displayStatus": f"VM {power}"},
        ],
    }
    return view


def _os_state(machine: Resource) -> list[Json]:
    for state in ("generalized", "specialized"):
        if machine.facts.get(state):
            code, words = f"OSState/{state}", f"VM {state}"
            return [{"code": code, "level": "Info", "displayStatus": words}]
    return []


def _provisioning_status(machine: Resource, now: str) -> Json:
    state = str(machine.properties["provisioningState"])
    status: Json = {
        "code": f"ProvisioningState/{state.lower()}",
        "level": "Error" if state == "Failed" else "Info",
        "displayStatus": f"Provisioning {state.lower()}",
        "time": now,
    }
    if state == "Failed":
        status["message"] = machine.facts.get("failure", "")
    return status


def _agent_part(machine: Resource, now: str) -> Json:
    if machine.facts["power"] != "running":
        return {}  # recorded: a stopped machine says nothing of its agent
    ready = machine.properties["provisioningState"] in {"Succeeded", "Updating"}
    agent: Json = {
        "vmAgentVersion": _AGENT_VERSION if ready else "Unknown",
        "statuses": [_agent_status(now, ready=ready)],
    }
    if not ready:
        return {"vmAgent": agent}
    guest = machine.facts["guest"]
    profile = machine.properties.get("osProfile", {})
    return {
        "computerName": profile.get("computerName", machine.name),
        "osName": "Windows Server" if guest.os == "Windows" else "linux",
        "osVersion": "10.0" if guest.os == "Windows" else "5.15",
        "vmAgent": {**agent, "extensionHandlers": []},
    }


def _agent_status(now: str, *, ready: bool) -> Json:
    if ready:
        return {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Ready",
            "message": "Guest Agent is running",
            "time": now,
        }
    return {
        "code": "ProvisioningState/Unavailable",
        "level": "Warning",
        "displayStatus": "Not Ready",
        "message": "VM status blob is found but not yet populated.",
        "time": now,
    }
