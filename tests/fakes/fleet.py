"""The VMs of our users, in memory."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.domain.identifiers import normalise_id, parse_resource_id
from shared.domain.lineage import Known
from shared.domain.vm_record import Boot, Image, LineageSource, Machine, VmFacts
from shared.errors import NotReadyError, RefusedError
from shared.ports import ScaleSet, ScaleSetModel
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
        boot=Boot(
            reference=f"{image.image_id}@{image.version}", os_disk_id=f"{COMPUTE}/disks/{name}_os"
        ),
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
        machine=Machine.UNIFORM,
    )


def model_facts(scale_set_id: str, instance: VmFacts, *, version: str = "") -> VmFacts:
    """Return the model of a scale set that made *instance*; it takes the latest version."""
    image = replace(instance.image, version=version)
    return replace(
        instance,
        resource_id=scale_set_id,
        name=scale_set_id.rpartition("/")[2],
        image=image,
        scale_set_id="",
        machine=Machine.SCALE_SET,
        boot=Boot(reference=f"{image.image_id}@{version}"),
        capacity=3,
    )


class FakeFleet(Dial):
    """VMs by resource id, and the models of scale sets."""

    def __init__(self) -> None:
        super().__init__()
        self.vms: dict[str, VmFacts] = {}
        self.scale_sets: dict[str, VmFacts] = {}
        """Models by the normalised id of their set."""
        self.disks: dict[str, Image] = {}
        """What a swapped OS disk turns out to hold, by its normalised id."""
        self.models: dict[str, list[ScaleSetModel]] = {}
        """Models of scale sets by the normalised id of the image they name."""
        self.hidden: set[str] = set()
        """Subscriptions we may not read."""
        self.broken: set[str] = set()
        """Ids Azure refuses to show for good."""
        self.reads: list[str] = []
        """Resource ids asked for, in order."""

    def put(self, facts: VmFacts) -> str:
        """Create or replace a VM, with the scale set it belongs to; return its id."""
        resource_id = normalise_id(facts.resource_id)
        self.vms[resource_id] = replace(facts, resource_id=resource_id)
        if facts.scale_set_id and facts.scale_set_id not in self.scale_sets:
            self.put_scale_set(model_facts(facts.scale_set_id, facts))
        return resource_id

    def put_scale_set(self, model: VmFacts) -> str:
        """Create or replace the model of a scale set; return its id."""
        self.scale_sets[model.resource_id] = model
        return model.resource_id

    def remove(self, resource_id: str) -> None:
        """Delete a VM, or a scale set with the VMs in it."""
        gone = normalise_id(resource_id)
        self.scale_sets.pop(gone, None)
        self.vms = {
            key: facts for key, facts in self.vms.items() if gone not in (key, facts.scale_set_id)
        }

    async def vm(self, resource_id: str, known: Known | None = None) -> VmFacts | None:
        self._call("vm")
        self._read(resource_id)
        facts = self.vms.get(normalise_id(resource_id))
        return self._as_read(facts, known) if facts else None

    async def scale_set(self, resource_id: str, known: Mapping[str, Known]) -> ScaleSet | None:
        self._call("scale_set")
        self._read(resource_id)
        model = self.scale_sets.get(normalise_id(resource_id))
        if model is None:
            return None
        members = [f for f in self.vms.values() if f.scale_set_id == model.resource_id]
        return ScaleSet(
            model=model,
            instances=tuple(self._as_read(f, known.get(f.resource_id)) for f in members),
        )

    def _read(self, resource_id: str) -> None:
        """Note the read; raises NotReadyError where we have no rights."""
        self.reads.append(normalise_id(resource_id))
        if parse_resource_id(resource_id).subscription_id in self.hidden:
            raise NotReadyError(f"Azure did not read {resource_id} and said 403")
        if normalise_id(resource_id) in self.broken:
            raise RefusedError(f"Azure did not read {resource_id} and said 400")

    def _as_read(self, facts: VmFacts, known: Known | None) -> VmFacts:
        """Return *facts* with the image as the gateway finds it: that of a swapped disk."""
        model = self.scale_sets.get(facts.scale_set_id)
        if facts.machine is Machine.UNIFORM and model:
            facts = replace(facts, tags={**model.tags, **facts.tags})
        known = known and known.unless_made_again(facts.created_at)
        unchanged = known.still(facts.boot) if known else None
        if unchanged:
            return replace(facts, image=unchanged)
        on_disk = self.disks.get(facts.boot.os_disk_id)
        if known and known.swapped(facts.boot) and on_disk:
            return replace(facts, image=on_disk)
        return facts

    async def scale_set_models(self, image_id: str) -> list[ScaleSetModel]:
        self._call("scale_set_models")
        return list(self.models.get(normalise_id(image_id), []))
