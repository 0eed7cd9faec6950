"""track_vm: read a VM, or a scale set with every instance, and write down what is true now."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.attestation import AttestationRules
from shared.domain.fleet_policy import FleetPolicy
from shared.domain.identifiers import normalise_id, parse_resource_id, vm_key
from shared.domain.lineage import Known
from shared.domain.tattoo_reading import needs_reading
from shared.domain.vm_record import Machine, VmFacts, VmRecord
from shared.errors import BadMessageError
from shared.fleet.attesting import joined
from shared.fleet.catalog import Catalog
from shared.fleet.lens import lens_for
from shared.fleet.record import Change, Lens, gone
from shared.fleet.register import all_of, judge_image, write
from shared.messages import Message, ReadTattoo, TrackVm
from shared.ports import (
    Definitions,
    Fleet,
    Gallery,
    RecentVersions,
    Stored,
    Subscriptions,
    VmEntry,
    VmFilter,
    Vms,
)

_SCALE_SET = "microsoft.compute/virtualmachinescalesets"
_MACHINES = frozenset({"microsoft.compute/virtualmachines", f"{_SCALE_SET}/virtualmachines"})

type _Held = Mapping[str, Stored[VmEntry]]
type _Found = Mapping[str, VmFacts]


async def track_vm(
    command: TrackVm,
    *,
    fleet: Fleet,
    vms: Vms,
    recent_versions: RecentVersions,
    gallery: Gallery,
    definitions: Definitions,
    subscriptions: Subscriptions,
    fleet_policy: FleetPolicy,
    attestation_rules: AttestationRules,
    now: datetime,
) -> list[Message]:
    """Write what Azure says now of the VM, or of the scale set and each of its instances.

    Our own records are loaded before Azure is asked. So a record that another delivery wrote from
    a later look is never replaced by an earlier one (its ETag has changed), and an instance that
    was born while we asked is never taken for gone.

    A scale set is done in one message: Azure allows at most 1,000 instances in one
    (https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes).
    """
    catalog = Catalog(definitions=definitions, gallery=gallery, recent_versions=recent_versions)
    resource_id = normalise_id(command.resource_id)
    is_set = _type_of(resource_id) == _SCALE_SET
    own = await vms.get(vm_key(resource_id))
    held = {own.value.key: own, **(await _members(resource_id, vms) if is_set else {})}
    if is_set:
        found = await _whole_set(resource_id, held, fleet)
    else:
        facts = await fleet.vm(resource_id, _known(own))
        if facts and catalog.is_workshop(facts):
            return []
        found = {own.value.key: facts} if facts else {}
    lens = await lens_for(
        fleet_policy, [parse_resource_id(resource_id).subscription_id], subscriptions
    )
    tracker = Tracker(
        vms=vms,
        catalog=catalog,
        lens=lens,
        attestation_rules=attestation_rules,
        now=now,
        because=command.because,
    )
    return await tracker.track(held, found)


def _type_of(resource_id: str) -> str:
    try:
        kind = parse_resource_id(resource_id).type
    except ValueError as error:
        raise BadMessageError(f"track_vm cannot be done: {error}") from error
    if kind != _SCALE_SET and kind not in _MACHINES:
        raise BadMessageError(
            f"track_vm cannot be done: {resource_id} is neither a VM nor a scale set"
        )
    return kind


async def _members(scale_set_id: str, vms: Vms) -> dict[str, Stored[VmEntry]]:
    """Load what we hold on the members of a scale set that are not known to be gone."""
    subscription = parse_resource_id(scale_set_id).subscription_id
    wanted = VmFilter(scale_set_id=scale_set_id, subscription_id=subscription)
    keys: list[str] = []
    cursor = ""
    while True:
        page = await vms.list(wanted, cursor=cursor)
        keys.extend(record.key for record in page.items)
        cursor = page.cursor
        if not cursor:
            break
    entries = await all_of(vms.get(key) for key in keys)
    return dict(zip(keys, entries, strict=True))


async def _whole_set(scale_set_id: str, held: _Held, fleet: Fleet) -> _Found:
    """Read model and instances, and the VMs among our members that are none of them.

    Those may have left the set: only VMs of a Flexible set can leave it and live on.
    """
    known = {
        s.value.record.resource_id: looked
        for s in held.values()
        if s.value.record and (looked := _known(s))
    }
    whole = await fleet.scale_set(scale_set_id, known)
    members = (whole.model, *whole.instances) if whole else ()
    found = {vm_key(i.resource_id): i for i in members}
    missing = [s.value.record for key, s in held.items() if key not in found and s.value.record]
    vms = [r for r in missing if r.machine in (Machine.VM, Machine.FLEXIBLE)]
    alone = await all_of(fleet.vm(r.resource_id, known.get(r.resource_id)) for r in vms)
    return found | {vm_key(facts.resource_id): facts for facts in alone if facts}


def _known(stored: Stored[VmEntry]) -> Known | None:
    """Return what we know a living machine to boot."""
    record = stored.value.record
    if record is None or record.deleted_at is not None:
        return None
    return Known(boot=record.boot, image=record.image)


class Tracker:
    """Brings the records of some VMs into line with what Azure said of them."""

    def __init__(
        self,
        *,
        vms: Vms,
        catalog: Catalog,
        lens: Lens,
        attestation_rules: AttestationRules,
        now: datetime,
        because: str,
    ) -> None:
        self._vms = vms
        self._catalog = catalog
        self._lens = lens
        self._attestation_rules = attestation_rules
        self._now = now
        self._because = because
        self._moved = False
        """Whether a VM was written that runs another image, or in another place, than before."""

    async def track(self, held: _Held, found: _Found) -> list[Message]:
        """Write all VMs; once more where that took long and the versions changed meanwhile.

        A version released after we took the versions, and before a VM was entered under its image,
        would not reach that VM: its judge did not find it. The judge looks a second time, and
        where even that may have been too early we judge anew.
        """
        messages = await self._pass(held, found)
        while self._moved and await self._catalog.refresh():
            messages = await self._pass({}, found)
        return messages

    async def change(self, entry: VmEntry, facts: VmFacts | None) -> Change:
        """Return what becomes of *entry* when Azure describes its VM as *facts*."""
        if facts is None:
            return gone(entry, now=self._now, because=self._because)
        facts = replace(facts, resource_id=normalise_id(facts.resource_id))
        judged = await judge_image(facts.image, facts.region, self._catalog, facts.machine)
        return self._lens.seen(entry, facts, judged, now=self._now, because=self._because)

    async def _pass(self, held: _Held, found: _Found) -> list[Message]:
        self._moved = False
        keys = sorted(held.keys() | found.keys())
        return joined(await all_of(self._one(key, held.get(key), found.get(key)) for key in keys))

    async def _one(
        self, key: str, held: Stored[VmEntry] | None, facts: VmFacts | None
    ) -> list[Message]:
        stored = held or await self._vms.get(key)
        change = await self.change(stored.value, facts)
        old, new = stored.value.record, change.entry.record
        messages = await write(
            stored,
            change,
            vms=self._vms,
            attestation_rules=self._attestation_rules,
            now=self._now,
            because=self._because,
        )
        self._moved = self._moved or _moved(old, new)
        if new and needs_reading(new, self._now, self._lens.policy):
            messages.append(ReadTattoo(vm_key=key, started_at=self._now))
        return messages


def _moved(old: VmRecord | None, new: VmRecord | None) -> bool:
    """Tell whether a living VM was entered under an image or in a region it was not in before."""
    if new is None or new is old or new.deleted_at is not None:
        return False
    if old is None or old.deleted_at is not None:
        return True
    return (old.image, old.region) != (new.image, new.region)
