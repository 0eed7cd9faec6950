"""The VMs of our users, in memory."""

from dataclasses import replace
from typing import Any

from shared.domain.identifiers import normalise_id
from shared.domain.vm_record import Image, LineageSource, VmFacts
from shared.ports import ScaleSetModel
from tests.fakes.dial import Dial

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-web"
COMPUTE = f"{GROUP}/providers/microsoft.compute"


def vm_facts(name: str = "vm-1", *, image_id: str = "", version: str = "", **more: Any) -> VmFacts:
    """Return an ordinary VM that runs *version* of *image_id*, or has lost its lineage."""
    image = Image()
    if image_id:
        image = Image(image_id=image_id, version=version, source=LineageSource.IMAGE_REFERENCE)
    facts = VmFacts(
        resource_id=f"{COMPUTE}/virtualmachines/{name}",
        name=name,
        region="westeurope",
        image=image,
        tags={"team": "web"},
        os="linux",
    )
    return replace(facts, **more)


def instance_facts(scale_set: str, number: int, *, image_id: str, version: str) -> VmFacts:
    """Return an instance of a Uniform scale set."""
    scale_set_id = f"{COMPUTE}/virtualmachinescalesets/{scale_set}"
    return vm_facts(
        f"{scale_set}_{number}",
        image_id=image_id,
        version=version,
        resource_id=f"{scale_set_id}/virtualmachines/{number}",
        scale_set_id=scale_set_id,
    )


class FakeFleet(Dial):
    """VMs by resource id; a scale set exists as long as it is in *scale_sets*."""

    def __init__(self) -> None:
        super().__init__()
        self.vms: dict[str, VmFacts] = {}
        self.scale_sets: set[str] = set()
        self.models: dict[str, list[ScaleSetModel]] = {}
        """Models of scale sets by the normalised id of the image they name."""
        self.reads: list[str] = []
        """Resource ids asked for, in order."""

    def put(self, facts: VmFacts) -> str:
        """Create or replace a VM, with the scale set it belongs to; return its id."""
        resource_id = normalise_id(facts.resource_id)
        self.vms[resource_id] = replace(facts, resource_id=resource_id)
        if facts.scale_set_id:
            self.scale_sets.add(facts.scale_set_id)
        return resource_id

    def remove(self, resource_id: str) -> None:
        """Delete a VM, or a scale set with the VMs in it."""
        gone = normalise_id(resource_id)
        self.scale_sets.discard(gone)
        self.vms = {
            key: facts for key, facts in self.vms.items() if gone not in (key, facts.scale_set_id)
        }

    async def vm(self, resource_id: str) -> VmFacts | None:
        self._call("vm")
        self.reads.append(normalise_id(resource_id))
        return self.vms.get(normalise_id(resource_id))

    async def scale_set_instances(self, resource_id: str) -> list[VmFacts] | None:
        self._call("scale_set_instances")
        self.reads.append(normalise_id(resource_id))
        if normalise_id(resource_id) not in self.scale_sets:
            return None
        return [f for f in self.vms.values() if f.scale_set_id == normalise_id(resource_id)]

    async def scale_set_models(self, image_id: str) -> list[ScaleSetModel]:
        self._call("scale_set_models")
        return list(self.models.get(normalise_id(image_id), []))
