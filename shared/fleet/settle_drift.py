"""settle_drift: read machines and scale sets that a sweep found to differ, write what is true."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.attestation import AttestationRules
from shared.domain.fleet_policy import FleetPolicy
from shared.domain.identifiers import digest, parse_resource_id, vm_key
from shared.domain.sweep import Tally
from shared.domain.vm_record import Machine, VmFacts
from shared.errors import NotReadyError, PermanentError
from shared.fleet.catalog import Catalog
from shared.fleet.lens import lens_for
from shared.fleet.look import SCALE_SET_TYPE, look
from shared.fleet.register import all_of
from shared.fleet.subscriptions import remember_readable, remember_trouble
from shared.fleet.sweep_page import BECAUSE, of_azure
from shared.fleet.track_vm import Tracker
from shared.messages import Message, SettleDrift
from shared.ports import (
    Definitions,
    Fleet,
    Gallery,
    RecentVersions,
    Stored,
    Subscriptions,
    Sweeps,
    VmEntry,
    Vms,
)

_MISSED = ("new", "changed", "vanished", "returned")


async def settle_drift(
    command: SettleDrift,
    *,
    fleet: Fleet,
    vms: Vms,
    recent_versions: RecentVersions,
    gallery: Gallery,
    definitions: Definitions,
    subscriptions: Subscriptions,
    sweeps: Sweeps,
    fleet_policy: FleetPolicy,
    attestation_rules: AttestationRules,
    now: datetime,
) -> list[Message]:
    """Read each machine or scale set, as its event would have had it read, and count what differs.

    It is counted before anything is written, and once: a delivery that dies while it writes finds
    some machines as they should be when it comes again. A scale set is counted once in a sweep,
    with its Uniform instances, from however many pages it is sent here. VMs of a Flexible one come
    with pages of their own.

    Machines of a subscription we may not read keep their records; the others go on. One that Azure
    refuses to show for good is left to a message of its own, which is parked.
    """
    catalog = Catalog(definitions=definitions, gallery=gallery, recent_versions=recent_versions)
    homes = {parse_resource_id(i).subscription_id for i in command.resource_ids}
    lens = await lens_for(fleet_policy, homes, subscriptions)
    tracker = Tracker(
        vms=vms,
        catalog=catalog,
        lens=lens,
        attestation_rules=attestation_rules,
        now=now,
        because=BECAUSE,
    )
    looks = _Looks(vms=vms, fleet=fleet, catalog=catalog, tracker=tracker)
    await all_of(looks.at(resource_id) for resource_id in command.resource_ids)
    if len(looks.faults) == len(command.resource_ids):
        raise looks.faults[command.resource_ids[0]]
    batch = await sweeps.batch(command.sweep_id, command.batch)
    first = frozenset(batch.value.first if batch else ())
    for part, tally in (await looks.counted(command.part, first)).items():
        await sweeps.count(command.sweep_id, part, tally)
    messages = await tracker.track(looks.held, looks.found)
    for name in sorted(homes):
        if name in looks.refused:
            problem = looks.refused[name]
            await remember_trouble(name, problem, subscriptions=subscriptions, now=now)
        else:
            await remember_readable(name, subscriptions=subscriptions)
    if looks.faults:
        left = tuple(sorted(looks.faults))
        part = f"{command.part}.left"
        messages.append(replace(command, part=part, resource_ids=left))
    return messages


@dataclass(slots=True, kw_only=True)
class _Looks:
    """What was held and found of all machines of a message."""

    vms: Vms
    fleet: Fleet
    catalog: Catalog
    tracker: Tracker
    held: dict[str, Stored[VmEntry]] = field(default_factory=dict)
    found: dict[str, VmFacts] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Why, by subscription we may not read."""
    faults: dict[str, PermanentError] = field(default_factory=dict)
    """What Azure will not show us, by id."""
    _keys: dict[str, list[str]] = field(default_factory=dict)
    """The machines that were looked at, by what was asked for; none where it was refused."""

    async def at(self, resource_id: str) -> None:
        """Look at one machine or set, unless its subscription has refused another one already."""
        self._keys[resource_id] = []
        home = parse_resource_id(resource_id).subscription_id
        if home in self.refused:
            return
        try:
            held, found = await look(
                resource_id, vms=self.vms, fleet=self.fleet, catalog=self.catalog
            )
        except NotReadyError as error:
            self.refused.setdefault(home, str(error))
            return
        except PermanentError as error:
            self.faults[resource_id] = error
            return
        own = vm_key(resource_id)
        for key in sorted(held.keys() | found.keys()):
            stored = held.get(key) or await self.vms.get(key)
            if key == own or _is_uniform(stored, found.get(key)):
                self._keys[resource_id].append(key)
                self.held[key] = stored
                if key in found:
                    self.found[key] = found[key]

    async def counted(self, part: str, first: frozenset[str]) -> dict[str, Tally]:
        """Return what is counted, by part: VMs for the message's, each scale set for its own."""
        tallies: dict[str, Tally] = {}
        for resource_id, keys in self._keys.items():
            home = parse_resource_id(resource_id).subscription_id
            tally = await self._tally(keys, is_first=home in first)
            if home in self.refused:
                tally = Tally(unreadable=1)
            name = f"set.{digest(resource_id)}" if _is_set(resource_id) else part
            tallies[name] = tallies.get(name, Tally()).plus(tally)
        return tallies

    async def _tally(self, keys: list[str], *, is_first: bool) -> Tally:
        hows = [await self._how(self.held[key], self.found.get(key)) for key in keys]
        counts = Counter(how for how in hows if how != "same")
        if keys and not counts:
            return Tally(same=1)
        missed = 0 if is_first else sum(counts[how] for how in _MISSED)
        return Tally(missed=missed, **counts)

    async def _how(self, stored: Stored[VmEntry], facts: VmFacts | None) -> str:
        """Return the counter of `Tally` a machine counts for."""
        change = await self.tracker.change(stored.value, facts)
        old, new = stored.value.record, change.entry.record
        if change.entry == stored.value or new is None:
            return "same"
        if old is None:
            return "new"
        if new.deleted_at is not None:
            return "vanished"
        if old.deleted_at is not None:
            return "returned"
        return "changed" if of_azure(old) != of_azure(new) else "rejudged"


def _is_set(resource_id: str) -> bool:
    return parse_resource_id(resource_id).type == SCALE_SET_TYPE


def _is_uniform(stored: Stored[VmEntry], facts: VmFacts | None) -> bool:
    seen = facts or stored.value.record
    return seen is not None and seen.machine is Machine.UNIFORM
