"""track_vm: read a VM, or a scale set with every instance, and write down what is true now."""

from dataclasses import replace
from datetime import datetime

from shared.domain.attestation import AttestationRules
from shared.domain.fleet_policy import FleetPolicy
from shared.domain.identifiers import normalise_id, parse_resource_id
from shared.domain.tattoo_reading import needs_reading
from shared.domain.vm_record import VmFacts, VmRecord
from shared.errors import NotReadyError
from shared.fleet.attesting import joined
from shared.fleet.catalog import Catalog
from shared.fleet.lens import lens_for
from shared.fleet.look import Found, Held, look
from shared.fleet.record import Change, Lens, gone
from shared.fleet.register import all_of, judge_image, write
from shared.fleet.subscriptions import remember_readable, remember_trouble
from shared.messages import Message, ReadTattoo, TrackVm
from shared.ports import (
    Definitions,
    Fleet,
    Gallery,
    RecentVersions,
    Stored,
    Subscriptions,
    VmEntry,
    Vms,
)


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

    A scale set is done in one message: Azure allows at most 1,000 instances in one
    (https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes).

    A subscription we may not read is remembered as such before NotReadyError is raised. That it
    can be read is remembered with the first sight of a machine in it.
    """
    catalog = Catalog(definitions=definitions, gallery=gallery, recent_versions=recent_versions)
    try:
        held, found = await look(command.resource_id, vms=vms, fleet=fleet, catalog=catalog)
    except NotReadyError as error:
        subscription_id = parse_resource_id(command.resource_id).subscription_id
        await remember_trouble(subscription_id, str(error), subscriptions=subscriptions, now=now)
        raise
    if not held:
        return []
    subscription_id = parse_resource_id(command.resource_id).subscription_id
    if any(key not in held or held[key].value.record is None for key in found):
        await remember_readable(subscription_id, subscriptions=subscriptions)
    lens = await lens_for(fleet_policy, [subscription_id], subscriptions)
    tracker = Tracker(
        vms=vms,
        catalog=catalog,
        lens=lens,
        attestation_rules=attestation_rules,
        now=now,
        because=command.because,
    )
    return await tracker.track(held, found)


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

    async def track(self, held: Held, found: Found) -> list[Message]:
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

    async def _pass(self, held: Held, found: Found) -> list[Message]:
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
