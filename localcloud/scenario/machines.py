"""The machines the teams of the scenario run: how each is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from localcloud.environment import TEAMS_SUBSCRIPTION
from localcloud.scenario.clients import Json

UBUNTU = {
    "publisher": "Canonical",
    "offer": "0001-com-ubuntu-server-jammy",
    "sku": "22_04-lts-gen2",
    "version": "latest",
}
DEBIAN = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One VM, or a scale set of *instances* VMs."""

    name: str
    team: str
    image: Mapping[str, str]
    """Image reference: a Marketplace image, or the id of a gallery image definition."""
    region: str = "westeurope"
    instances: int = 0
    """0 for a VM of its own."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Besides its team."""

    @property
    def group(self) -> str:
        """Resource group of the machine's team."""
        return f"rg-{self.team}"

    @property
    def id(self) -> str:
        """Resource id."""
        kind = "virtualMachineScaleSets" if self.instances else "virtualMachines"
        return (
            f"/subscriptions/{TEAMS_SUBSCRIPTION}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Compute/{kind}/{self.name}"
        )

    def body(self) -> Json:
        """Return what to PUT."""
        return _scale_set(self) if self.instances else _vm(self)


def _vm(machine: Machine) -> Json:
    network = "/".join(machine.id.split("/")[:5]) + "/providers/Microsoft.Network"
    nic = f"{network}/networkInterfaces/{machine.name}-nic"
    return {
        "location": machine.region,
        "tags": {"team": machine.team, **machine.tags},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": _storage(machine),
            "osProfile": {"computerName": machine.name, "adminUsername": "azureuser"},
            "networkProfile": {"networkInterfaces": [{"id": nic}]},
        },
    }


def _scale_set(machine: Machine) -> Json:
    return {
        "location": machine.region,
        "tags": {"team": machine.team, **machine.tags},
        "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": machine.instances},
        "properties": {
            "orchestrationMode": "Uniform",
            "upgradePolicy": {"mode": "Manual"},
            "virtualMachineProfile": {
                "storageProfile": _storage(machine),
                "osProfile": {
                    "computerNamePrefix": machine.name,
                    "adminUsername": "azureuser",
                },
            },
        },
    }


def _storage(machine: Machine) -> Json:
    return {
        "imageReference": dict(machine.image),
        "osDisk": {"createOption": "FromImage", "managedDisk": {}},
    }
