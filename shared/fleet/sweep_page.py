"""Holding one page of Resource Graph against the register, in memory as far as it goes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.identifiers import normalise_id, parse_resource_id, vm_key
from shared.domain.lineage import is_exact
from shared.domain.subscription import Subscription
from shared.domain.sweep import SweepBatch, Tally, Tile, tiles
from shared.domain.vm_record import Machine, VmFacts, VmRecord
from shared.fleet.catalog import Catalog
from shared.fleet.look import known_of
from shared.fleet.record import Change, Lens
from shared.fleet.register import all_of, judge_image
from shared.ports import RANKS, MachinesPage, Stored, Subscriptions, VmEntry, Vms

_HELD_AT_ONCE = 1000
BECAUSE = "sweep"
"""Why records change that a sweep changes, in their histories."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a page shows."""

    rows: int
    unchanged: int = 0
    first_seen: int = 0
    rejudged: int = 0
    unreadable: int = 0
    passed_over: list[str] = field(default_factory=list)
    """Subscriptions of which some of those are."""
    probed: list[str] = field(default_factory=list)
    """Subscriptions that could not be read of which the page has a machine to try."""
    held: tuple[VmRecord, ...] = ()
    """What the register lists in the page's place."""
    enter: dict[str, tuple[Stored[VmEntry], VmFacts]] = field(default_factory=dict)
    """By VM key, what is to be written as the row says it: the rest is as Azure says already."""
    drift: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    """Ids that seem to differ, by subscription, scale sets for their instances; only reading them
    tells."""

    @property
    def tally(self) -> Tally:
        """What the page counts."""
        return Tally(
            rows=self.rows,
            unchanged=self.unchanged,
            first_seen=self.first_seen,
            rejudged=self.rejudged,
            unreadable=self.unreadable,
        )


def of_azure(record: VmRecord) -> tuple[object, ...]:
    """Return what Azure says of a machine, apart from what our rules make of it."""
    return (
        record.name, record.region, record.image, record.machine, record.scale_set_id,
        record.created_at, record.os, record.specialised, record.capacity, record.boot,
        record.labels, record.deleted_at is None,
    )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class PageReader:
    """Compares the pages of one message with the register.

    What is the same costs nothing more. What seems new, changed or gone is left to be read one by
    one, so neither the order in which Azure sorts nor its being late can do harm: they cost reads.
    Two sorts are written as the row says: machines of a subscription that is swept for the first
    time, for a whole fleet cannot be read one by one; and those where only our own rules differ.
    """

    batch: SweepBatch
    vms: Vms
    subscriptions: Subscriptions
    catalog: Catalog
    lens: Lens
    now: datetime
    again: bool = False
    """Whether this page was taken before, by a delivery that may have died half-way."""
    _sets: dict[str, VmRecord | None] = field(default_factory=dict)

    async def compare(self, page: MachinesPage, rank: int, *, after: str) -> Findings:
        """Return what *page* shows; *after* is the highest id of the pages before."""
        rows = {normalise_id(m.resource_id): m for m in page.machines}
        laid = tiles(
            self.batch.subscriptions, after=after, up_to=highest(after, rows) if page.token else ""
        )
        homes = await self._homes(laid)
        self.lens = replace(self.lens, management_groups=_groups(homes.values()))
        held = await self._held(laid, RANKS[rank])
        findings = Findings(rows=len(rows), held=tuple(held.values()))
        if rank == RANKS.index((Machine.UNIFORM,)):
            await self._learn_sets(rows.values())
        doubtful: list[_Doubt] = []
        for resource_id, facts in rows.items():
            record = held.pop(resource_id, None)
            doubtful += await self._row(facts, record, findings)
        await self._look_up(doubtful, findings)
        for record in held.values():
            if record.deleted_at is None:
                _add_drift(record, findings)
        _probe(findings, rows, homes)
        return findings

    async def _homes(self, laid: Sequence[Tile]) -> dict[str, Subscription]:
        names = [tile.subscription_id for tile in laid]
        stored = await all_of(self.subscriptions.get(name) for name in names)
        return {s.value.subscription_id: s.value for s in stored if s}

    async def _held(self, laid: Sequence[Tile], machines: Sequence[Machine]) -> dict[str, VmRecord]:
        """List the records in the tiles, by id; deleted ones too."""
        held: dict[str, VmRecord] = {}
        for tile in laid:
            cursor = ""
            while True:
                found = await self.vms.held_between(
                    tile.subscription_id,
                    machines,
                    after=tile.after,
                    up_to=tile.up_to,
                    limit=_HELD_AT_ONCE,
                    cursor=cursor,
                )
                held |= {record.resource_id: record for record in found.items}
                cursor = found.cursor
                if not cursor:
                    break
        return held

    async def _learn_sets(self, rows: Iterable[VmFacts]) -> None:
        """Load the scale sets of some instances, whose tags are the instances' too."""
        names = sorted({facts.scale_set_id for facts in rows})
        stored = await all_of(self.vms.get(vm_key(name)) for name in names)
        self._sets = {n: s.value.record for n, s in zip(names, stored, strict=True)}

    async def _row(
        self, facts: VmFacts, record: VmRecord | None, findings: Findings
    ) -> list["_Doubt"]:
        """Compare a row with the record listed in its place, if any; return what leaves doubt."""
        if self.catalog.is_workshop(facts):
            return []
        whole = self._with_tags_of_set(facts)
        if whole is None or (record and record.deleted_at is not None):
            _add_drift(facts, findings)
            return []
        if record is None:
            return [_Doubt(whole, None)]
        # Policy states are not in the index, and no row says anything of them.
        bare = replace(record, policy="", policy_as_of=None)
        entry = VmEntry(key=record.key, record=bare)
        change = await self._change(Stored(entry), whole)
        if not _same_by_azure(change, record):
            _add_drift(facts, findings)
            return []
        told = not self.again or record.changed_at < self.batch.began_at
        if change.entry == entry and told:
            findings.unchanged += 1
            return []
        return [_Doubt(whole, record)]

    def _with_tags_of_set(self, facts: VmFacts) -> VmFacts | None:
        """Return a Uniform instance with what it has from its scale set; None where we lack it."""
        if facts.machine is not Machine.UNIFORM:
            return facts
        model = self._sets.get(facts.scale_set_id)
        return replace(facts, tags={**model.labels, **facts.tags}) if model else None

    async def _look_up(self, doubtful: Sequence["_Doubt"], findings: Findings) -> None:
        """Load what is held on each machine in doubt, and decide by that."""
        keys = [vm_key(doubt.facts.resource_id) for doubt in doubtful]
        loaded = await all_of(self.vms.get(key) for key in keys)
        for doubt, stored in zip(doubtful, loaded, strict=True):
            await self._decide(doubt, stored, findings)

    async def _decide(self, doubt: "_Doubt", stored: Stored[VmEntry], findings: Findings) -> None:
        facts, record = doubt.facts, stored.value.record
        if record is None:
            if not self._is_first_sight(facts):
                _add_drift(facts, findings)
                return
            findings.first_seen += 1
        else:
            change = await self._change(stored, facts)
            overtaken = doubt.listed not in (None, record)
            if overtaken or record.deleted_at or not _same_by_azure(change, record):
                _add_drift(facts, findings)
                return
            is_same = change.entry == stored.value
            findings.unchanged += is_same
            findings.rejudged += not is_same
        findings.enter[stored.value.key] = (stored, self._carried(stored, facts))

    def _is_first_sight(self, facts: VmFacts) -> bool:
        """Tell whether a row is enough to enter a machine."""
        home = parse_resource_id(facts.resource_id).subscription_id
        clear = facts.machine is Machine.SCALE_SET or is_exact(facts.image)
        return home in self.batch.first and clear

    async def _change(self, stored: Stored[VmEntry], facts: VmFacts) -> Change:
        seen = self._carried(stored, facts)
        judged = await judge_image(seen.image, seen.region, self.catalog, seen.machine)
        return self.lens.seen(stored.value, seen, judged, now=self.now, because=BECAUSE)

    def _carried(self, stored: Stored[VmEntry], facts: VmFacts) -> VmFacts:
        """Return a row with the image we know, where the machine boots the same as then."""
        known = known_of(stored)
        known = known and known.unless_made_again(facts.created_at)
        image = known.still(facts.boot) if known else None
        return replace(facts, image=image) if image else facts


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A row that the record itself has to be looked up for; *listed* is what the index said."""

    facts: VmFacts
    listed: VmRecord | None


def highest(after: str, ids: Iterable[str]) -> str:
    """Return the highest of some ids: bounds only ever grow, however Azure sorts."""
    return max([after, *(normalise_id(i) for i in ids)])


def _same_by_azure(change: Change, record: VmRecord) -> bool:
    return change.entry.record is not None and of_azure(change.entry.record) == of_azure(record)


def _add_drift(machine: VmFacts | VmRecord, findings: Findings) -> None:
    """Have a machine read; an instance with all of its scale set, which is one read for many."""
    is_instance = machine.machine is Machine.UNIFORM
    resource_id = machine.scale_set_id if is_instance else normalise_id(machine.resource_id)
    findings.drift[parse_resource_id(resource_id).subscription_id][resource_id] = None


def _groups(homes: Iterable[Subscription]) -> dict[str, tuple[str, ...]]:
    return {home.subscription_id: home.management_groups for home in homes}


def _probe(findings: Findings, rows: Iterable[str], homes: dict[str, Subscription]) -> None:
    """Of a subscription that could not be read leave one machine to be read, to see if it can now.

    The others would only be refused one after the other.
    """
    first_row: dict[str, str] = {}
    for resource_id in rows:
        first_row.setdefault(parse_resource_id(resource_id).subscription_id, resource_id)
    for name, home in homes.items():
        if not home.problem:
            continue
        waiting = findings.drift.get(name, {})
        if len(waiting) > 1:
            findings.unreadable += len(waiting) - 1
            findings.passed_over.append(name)
        probe = next(iter(waiting), "") or first_row.get(name, "")
        if probe:
            findings.drift[name] = {probe: None}
            findings.probed.append(name)
