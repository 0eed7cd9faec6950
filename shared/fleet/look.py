"""Looking at a VM, or at a scale set with its instances: what we hold, and what Azure says."""

from collections.abc import Mapping

from shared.domain.identifiers import normalise_id, parse_resource_id, vm_key
from shared.domain.lineage import Known
from shared.domain.vm_record import Machine, VmFacts
from shared.errors import BadMessageError
from shared.fleet.catalog import Catalog
from shared.fleet.register import all_of
from shared.ports import Fleet, Stored, VmEntry, VmFilter, Vms, every

SCALE_SET_TYPE = "microsoft.compute/virtualmachinescalesets"
_MACHINES = frozenset({"microsoft.compute/virtualmachines", f"{SCALE_SET_TYPE}/virtualmachines"})

type Held = Mapping[str, Stored[VmEntry]]
"""What the register held by VM key, before Azure was asked."""
type Found = Mapping[str, VmFacts]
"""What Azure said by VM key; a VM that is not there is gone."""


async def look(resource_id: str, *, vms: Vms, fleet: Fleet, catalog: Catalog) -> tuple[Held, Found]:
    """Load what we hold on a machine, or a scale set and its members, and then read them.

    Our own records are loaded before Azure is asked. So a record that another delivery wrote from
    a later look is never replaced by an earlier one (its ETag has changed), and an instance that
    was born while we asked is never taken for gone.

    Nothing is held and found of a VM that is there to make images.

    Raises BadMessageError when *resource_id* is none of a machine or scale set.
    """
    resource_id = normalise_id(resource_id)
    is_set = _type_of(resource_id) == SCALE_SET_TYPE
    own = await vms.get(vm_key(resource_id))
    if is_set:
        held = {own.value.key: own, **await _members(resource_id, vms)}
        return held, await _whole_set(resource_id, held, fleet)
    facts = await fleet.vm(resource_id, known_of(own))
    if facts and catalog.is_workshop(facts):
        return {}, {}
    return {own.value.key: own}, {own.value.key: facts} if facts else {}


def known_of(stored: Stored[VmEntry]) -> Known | None:
    """Return what we know a living machine to boot."""
    record = stored.value.record
    if record is None or record.deleted_at is not None:
        return None
    return Known(boot=record.boot, image=record.image, created_at=record.created_at)


def _type_of(resource_id: str) -> str:
    try:
        kind = parse_resource_id(resource_id).type
    except ValueError as error:
        raise BadMessageError(f"track_vm cannot be done: {error}") from error
    if kind != SCALE_SET_TYPE and kind not in _MACHINES:
        raise BadMessageError(
            f"track_vm cannot be done: {resource_id} is neither a VM nor a scale set"
        )
    return kind


async def _members(scale_set_id: str, vms: Vms) -> dict[str, Stored[VmEntry]]:
    """Load what we hold on the members of a scale set that are not known to be gone."""
    subscription = parse_resource_id(scale_set_id).subscription_id
    wanted = VmFilter(scale_set_id=scale_set_id, subscription_id=subscription)
    pages = every(lambda cursor: vms.list(wanted, cursor=cursor))
    keys = [record.key async for record in pages]
    entries = await all_of(vms.get(key) for key in keys)
    return dict(zip(keys, entries, strict=True))


async def _whole_set(scale_set_id: str, held: Held, fleet: Fleet) -> Found:
    """Read model and instances, and the VMs among our members that are none of them.

    Those may have left the set: only VMs of a Flexible set can leave it and live on.
    """
    known = {
        s.value.record.resource_id: looked
        for s in held.values()
        if s.value.record and (looked := known_of(s))
    }
    whole = await fleet.scale_set(scale_set_id, known)
    members = (whole.model, *whole.instances) if whole else ()
    found = {vm_key(i.resource_id): i for i in members}
    missing = [s.value.record for key, s in held.items() if key not in found and s.value.record]
    vms = [r for r in missing if r.machine in (Machine.VM, Machine.FLEXIBLE)]
    alone = await all_of(fleet.vm(r.resource_id, known.get(r.resource_id)) for r in vms)
    return found | {vm_key(facts.resource_id): facts for facts in alone if facts}
