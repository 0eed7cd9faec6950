"""settle_drift: read machines that differ from the register by a sweep, and write what is true."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.identifiers import parse_resource_id, vm_key
from shared.domain.sweep import Tally
from shared.domain.vm_record import VmFacts
from shared.errors import NotReadyError
from shared.fleet.catalog import Catalog
from shared.fleet.lens import lens_for
from shared.fleet.look import look
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
    now: datetime,
) -> list[Message]:
    """Read each machine, as its event would have had it read, and count what that confirms.

    It is counted before anything is written, and once: a delivery that dies while it writes finds
    some machines as they should be when it comes again.

    Machines of a subscription we may not read keep their records; the others go on.
    """
    catalog = Catalog(definitions=definitions, gallery=gallery, recent_versions=recent_versions)
    looks = _Looks(vms=vms, fleet=fleet, catalog=catalog)
    await all_of(looks.at(resource_id) for resource_id in command.resource_ids)
    homes = {parse_resource_id(i).subscription_id for i in command.resource_ids}
    lens = await lens_for(fleet_policy, homes, subscriptions)
    tracker = Tracker(vms=vms, catalog=catalog, lens=lens, now=now, because=BECAUSE)
    batch = await sweeps.batch(command.sweep_id, command.batch)
    first = frozenset(batch.value.first if batch else ())
    tally = await looks.count(command, tracker, first)
    await sweeps.count(command.sweep_id, command.part, tally)
    messages = await tracker.track(looks.held, looks.found)
    for name in sorted(homes):
        if name in looks.refused:
            problem = looks.refused[name]
            await remember_trouble(name, problem, subscriptions=subscriptions, now=now)
        else:
            await remember_readable(name, subscriptions=subscriptions)
    return messages


@dataclass(slots=True, kw_only=True)
class _Looks:
    """What was held and found of all machines of a message."""

    vms: Vms
    fleet: Fleet
    catalog: Catalog
    held: dict[str, Stored[VmEntry]] = field(default_factory=dict)
    found: dict[str, VmFacts] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Why, by subscription we may not read."""
    unreadable: int = 0

    async def at(self, resource_id: str) -> None:
        """Look at one machine, unless its subscription has refused another one already."""
        home = parse_resource_id(resource_id).subscription_id
        if home in self.refused:
            self.unreadable += 1
            return
        try:
            held, found = await look(
                resource_id, vms=self.vms, fleet=self.fleet, catalog=self.catalog
            )
        except NotReadyError as error:
            self.refused.setdefault(home, str(error))
            self.unreadable += 1
            return
        self.held.update(held)
        self.found.update(found)

    async def count(self, command: SettleDrift, tracker: Tracker, first: frozenset[str]) -> Tally:
        """Return how the machines came off; members of a scale set count where they differ."""
        asked = {vm_key(i) for i in command.resource_ids}
        counts = Counter[str]()
        for key in sorted(self.held.keys() | self.found.keys()):
            stored = self.held.get(key) or await self.vms.get(key)
            how = await self._how(stored, self.found.get(key), tracker)
            if how == "same" and key not in asked:
                continue
            counts[how] += 1
            if how in _MISSED and key.partition(".")[0] not in first:
                counts["missed"] += 1
        return Tally(unreadable=self.unreadable, **counts)

    async def _how(self, stored: Stored[VmEntry], facts: VmFacts | None, tracker: Tracker) -> str:
        """Return the counter of `Tally` a machine counts for."""
        change = await tracker.change(stored.value, facts)
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
