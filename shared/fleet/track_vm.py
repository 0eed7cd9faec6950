"""track_vm: read a VM, or every instance of a scale set, and write down what is true now."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.identifiers import normalise_id, parse_resource_id, vm_key
from shared.domain.team import TeamRules
from shared.domain.vm_record import VmFacts, VmRecord
from shared.errors import BadMessageError
from shared.fleet.catalog import Catalog
from shared.fleet.record import Change, gone, seen
from shared.fleet.register import all_of, judge_image, write
from shared.messages import Message, TrackVm
from shared.ports import (
    Definitions,
    Fleet,
    Gallery,
    ImageVersions,
    Stored,
    VmEntry,
    VmFilter,
    Vms,
)

BECAUSE = "event"

_SCALE_SET = "microsoft.compute/virtualmachinescalesets"
_MACHINES = frozenset({"microsoft.compute/virtualmachines", f"{_SCALE_SET}/virtualmachines"})

type _Held = Mapping[str, Stored[VmEntry]]
type _Found = Mapping[str, VmFacts]


async def track_vm(
    command: TrackVm,
    *,
    fleet: Fleet,
    vms: Vms,
    image_versions: ImageVersions,
    gallery: Gallery,
    definitions: Definitions,
    teams: TeamRules,
    kind_tag: str,
    now: datetime,
) -> list[Message]:
    """Write what Azure says now of the VM, or of each instance of the scale set.

    Our own records are loaded before Azure is asked. So a record that another delivery wrote from
    a later look is never replaced by an earlier one (its ETag has changed), and an instance that
    was born while we asked is never taken for gone.

    A scale set is done in one message: Azure allows at most 1,000 instances in one
    (https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes).
    """
    catalog = Catalog(definitions=definitions, gallery=gallery, image_versions=image_versions)
    resource_id = normalise_id(command.resource_id)
    if _type_of(resource_id) == _SCALE_SET:
        held = await _members(resource_id, vms)
        found = await _instances(resource_id, held, fleet)
    else:
        key = vm_key(resource_id)
        held = {key: await vms.get(key)}
        facts = await fleet.vm(resource_id)
        if facts and catalog.is_workshop(facts):
            return []
        found = {key: facts} if facts else {}
    tracker = _Tracker(vms=vms, catalog=catalog, teams=teams, kind_tag=kind_tag, now=now)
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


async def _instances(scale_set_id: str, held: _Held, fleet: Fleet) -> _Found:
    """Read the instances, and the VMs among our members that are none: they may have left the set.

    Only VMs of a Flexible set can leave it and live on.
    """
    instances = await fleet.scale_set_instances(scale_set_id) or []
    found = {vm_key(i.resource_id): i for i in instances}
    missing = [s.value.record for key, s in held.items() if key not in found and s.value.record]
    vms = [r for r in missing if not r.resource_id.startswith(f"{scale_set_id}/")]
    alone = await all_of(fleet.vm(record.resource_id) for record in vms)
    return found | {vm_key(facts.resource_id): facts for facts in alone if facts}


class _Tracker:
    """Brings the records of some VMs into line with what Azure said of them."""

    def __init__(
        self, *, vms: Vms, catalog: Catalog, teams: TeamRules, kind_tag: str, now: datetime
    ) -> None:
        self._vms = vms
        self._catalog = catalog
        self._teams = teams
        self._kind_tag = kind_tag
        self._now = now
        self._moved = False
        """Whether a VM was written that runs another image, or in another place, than before."""

    async def track(self, held: _Held, found: _Found) -> list[Message]:
        """Write all VMs; once more where the register of versions changed meanwhile.

        A version released after we read the register, and before a VM was entered under its image,
        would not reach that VM: its judge did not find it. After the entry is written we look
        again, and any later release finds it.
        """
        messages = await self._pass(held, found)
        while self._moved and await self._catalog.refresh():
            messages = await self._pass({}, found)
        return messages

    async def _pass(self, held: _Held, found: _Found) -> list[Message]:
        self._moved = False
        keys = sorted(held.keys() | found.keys())
        said = await all_of(self._one(key, held.get(key), found.get(key)) for key in keys)
        return [message for messages in said for message in messages]

    async def _one(
        self, key: str, held: Stored[VmEntry] | None, facts: VmFacts | None
    ) -> list[Message]:
        stored = held or await self._vms.get(key)
        change = await self._change(stored.value, facts)
        old, new = stored.value.record, change.entry.record
        messages = await write(stored, change, vms=self._vms, now=self._now, because=BECAUSE)
        self._moved = self._moved or _moved(old, new)
        return messages

    async def _change(self, entry: VmEntry, facts: VmFacts | None) -> Change:
        if facts is None:
            return gone(entry, now=self._now, because=BECAUSE)
        facts = replace(facts, resource_id=normalise_id(facts.resource_id))
        judged = await judge_image(facts.image, facts.region, self._catalog)
        return seen(
            entry,
            facts,
            judged,
            teams=self._teams,
            kind_tag=self._kind_tag,
            now=self._now,
            because=BECAUSE,
        )


def _moved(old: VmRecord | None, new: VmRecord | None) -> bool:
    """Tell whether a living VM was entered under an image or in a region it was not in before."""
    if new is None or new is old or new.deleted_at is not None:
        return False
    if old is None or old.deleted_at is not None:
        return True
    return (old.image, old.region) != (new.image, new.region)
