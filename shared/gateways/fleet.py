"""The VMs of our users: read one, or a scale set with its instances, and the image each runs.

An ordinary VM costs one read. Its OS disk is read only when the VM does not say exactly which image
it runs, or when another disk stands where one was known before.
"""

from collections.abc import AsyncIterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.domain.identifiers import ResourceId, normalise_id, parse_resource_id
from shared.domain.lineage import MAX_COPIES, Known, copied_from, is_exact, resolve
from shared.domain.vm_record import VmFacts
from shared.errors import NotReadyError, RefusedError
from shared.gateways.clients import AzureClients
from shared.gateways.errors import found
from shared.gateways.machine_facts import (
    machine_facts,
    model_facts,
    reference_of,
    scale_set_id_of,
    tags_of,
)
from shared.gateways.scale_sets import models_of
from shared.ports import ScaleSet, ScaleSetModel

if TYPE_CHECKING:
    from azure.mgmt.compute.aio import ComputeManagementClient

type Json = Mapping[str, Any]

_INSTANCE = "microsoft.compute/virtualmachinescalesets/virtualmachines"
_SNAPSHOT = "microsoft.compute/snapshots"


class FleetGateway:
    """VMs and scale sets in every subscription our identity may read."""

    def __init__(self, clients: AzureClients) -> None:
        self._clients = clients

    async def vm(self, resource_id: str, known: Known | None = None) -> VmFacts | None:
        """Read a VM or a scale-set instance, its image resolved; None when it does not exist."""
        parsed = parse_resource_id(resource_id)
        if parsed.type == _INSTANCE:
            return await self._instance(parsed, known)
        machine = await found(
            self._compute(parsed).virtual_machines.get(parsed.resource_group, parsed.name),
            f"read the VM {resource_id}",
        )
        return await self._facts(machine.as_dict(), known) if machine else None

    async def scale_set(self, resource_id: str, known: Mapping[str, Known]) -> ScaleSet | None:
        """Read a scale set and its instances; None when it does not exist."""
        parsed = parse_resource_id(resource_id)
        model = await self._scale_set(parsed.resource_group, parsed.name, parsed)
        if model is None:
            return None
        if _properties(model).get("orchestrationMode") == "Flexible":
            machines, tags = await self._flexible(parsed, model["id"]), {}
        else:
            machines, tags = await self._uniform(parsed), tags_of(model)
        instances = [
            await self._facts(machine, known.get(normalise_id(machine["id"])), inherited=tags)
            for machine in machines
        ]
        return ScaleSet(model=model_facts(model), instances=tuple(instances))

    async def scale_set_models(self, image_id: str) -> list[ScaleSetModel]:
        """List the scale sets, wherever we may read, whose model names *image_id*."""
        return await models_of(self._clients, image_id)

    async def _uniform(self, parsed: ResourceId) -> list[Json]:
        instances = self._compute(parsed).virtual_machine_scale_set_vms.list(
            parsed.resource_group, parsed.name
        )
        return await found(_all(instances), f"list the instances of {parsed.name}") or []

    async def _flexible(self, parsed: ResourceId, scale_set_id: str) -> list[Json]:
        """List the VMs of a Flexible set: they are ordinary VMs that name it."""
        machines = self._compute(parsed).virtual_machines.list(
            parsed.resource_group, filter=f"'virtualMachineScaleSet/id' eq '{scale_set_id}'"
        )
        listed = await found(_all(machines), f"list the VMs of the scale set {parsed.name}") or []
        return [m for m in listed if scale_set_id_of(m) == normalise_id(scale_set_id)]

    async def _instance(self, parsed: ResourceId, known: Known | None) -> VmFacts | None:
        """Read a Uniform instance, and its scale set for the tags the two share."""
        group, (scale_set, instance) = parsed.resource_group, parsed.names
        machine = await found(
            self._compute(parsed).virtual_machine_scale_set_vms.get(group, scale_set, instance),
            f"read instance {instance} of the scale set {scale_set}",
        )
        model = await self._scale_set(group, scale_set, parsed) if machine else None
        if machine is None or model is None:
            return None
        return await self._facts(machine.as_dict(), known, inherited=tags_of(model))

    async def _scale_set(self, group: str, name: str, parsed: ResourceId) -> Json | None:
        model = await found(
            self._compute(parsed).virtual_machine_scale_sets.get(group, name),
            f"read the scale set {name}",
        )
        return model.as_dict() if model else None

    async def _facts(
        self, machine: Json, known: Known | None, *, inherited: Mapping[str, str] | None = None
    ) -> VmFacts:
        facts = machine_facts(machine, inherited=inherited or {})
        known = known and known.unless_made_again(facts.created_at)
        unchanged = known.still(facts.boot) if known else None
        if unchanged:
            return replace(facts, image=unchanged)
        if is_exact(facts.image) and not (known and known.swapped(facts.boot)):
            return facts
        origins = await self._origins(facts.boot.os_disk_id)
        return replace(facts, image=resolve(reference_of(machine), origins))

    async def _origins(self, os_disk_id: str) -> list[Json]:
        """Read the OS disk and what it was copied from, until one of them names an image."""
        origins: list[Json] = []
        next_id = os_disk_id
        while next_id and len(origins) <= MAX_COPIES:
            try:
                origin = await self._disk(parse_resource_id(next_id))
            except (NotReadyError, RefusedError):
                # What a disk was copied from may be in a subscription we have no business in;
                # the trail ends there, as it does where the origin is deleted.
                if not origins:
                    raise
                break
            if origin is None:
                break
            origins.append(origin)
            next_id = "" if resolve(None, origins).image_id else copied_from(origin)
        return origins

    async def _disk(self, parsed: ResourceId) -> Json | None:
        compute, group, name = self._compute(parsed), parsed.resource_group, parsed.name
        doing = f"read {parsed.type.rpartition('/')[2]} {name}"
        if parsed.type == _SNAPSHOT:
            snapshot = await found(compute.snapshots.get(group, name), doing)
            return snapshot.as_dict() if snapshot else None
        disk = await found(compute.disks.get(group, name), doing)
        return disk.as_dict() if disk else None

    def _compute(self, parsed: ResourceId) -> "ComputeManagementClient":
        return self._clients.compute(parsed.subscription_id)


async def _all(members: AsyncIterable[Any]) -> list[Json]:
    return [member.as_dict() async for member in members]


def _properties(resource: Json) -> Json:
    properties = resource.get("properties")
    return properties if isinstance(properties, Mapping) else {}
