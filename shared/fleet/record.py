"""How a VM's record changes, and the lines its history gains; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.history import FIRST_SEEN, Transition, watched
from shared.domain.identifiers import normalise_region, parse_resource_id, vm_key
from shared.domain.lineage import is_made_again
from shared.domain.policy import evaluated_at, roll_up
from shared.domain.team import Place, kind_of, team_of
from shared.domain.verdict import Judgement
from shared.domain.vm_record import Image, Machine, TattooReading, Verdict, VmFacts, VmRecord
from shared.ports import VmEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An image under our own id, and how it stands."""

    image: Image
    definition: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Change:
    """A VM's entry as it is to be, and the lines its history gains; none when it is unchanged."""

    entry: VmEntry
    lines: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """How facts about VMs are seen: the company's policy, and where subscriptions belong."""

    policy: FleetPolicy
    management_groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By subscription, the nearest first; none where no rule asks for them."""

    def seen(
        self, entry: VmEntry, facts: VmFacts, judged: Judged, *, now: datetime, because: str
    ) -> Change:
        """Return the entry of a VM that Azure describes as *facts*."""
        parsed = parse_resource_id(facts.resource_id)
        old = entry.record
        alive = old if old and _lives_on(old, facts) else None
        team = team_of(
            self.policy.rules,
            Place(
                tags=facts.tags,
                resource_group=parsed.resource_group,
                subscription_id=parsed.subscription_id,
                management_groups=self.management_groups.get(parsed.subscription_id, ()),
            ),
        )
        record = VmRecord(
            key=vm_key(facts.resource_id),
            resource_id=facts.resource_id,
            name=facts.name,
            subscription_id=parsed.subscription_id,
            resource_group=parsed.resource_group,
            region=normalise_region(facts.region),
            image=judged.image,
            definition=judged.definition,
            team=team,
            kind=kind_of(self.policy.kind_tag, tags=facts.tags, scale_set_id=_herd_of(facts)),
            verdict=judged.judgement.verdict,
            reason=judged.judgement.reason,
            policy=roll_up(entry.policy_states),
            first_seen_at=old.first_seen_at if old else now,
            changed_at=now,
            as_of=now,
            machine=facts.machine,
            image_published_at=judged.judgement.published_at,
            runs_since=_runs_since(alive, facts, judged.image, now),
            policy_as_of=evaluated_at(entry.policy_states),
            scale_set_id=facts.scale_set_id,
            created_at=facts.created_at,
            os=facts.os,
            specialised=facts.specialised,
            capacity=facts.capacity,
            boot=facts.boot,
            labels={name: facts.tags[name] for name in self.policy.tags if name in facts.tags},
            tattoo=alive.tattoo if alive else None,
            attestation=alive.attestation if alive else None,
            history_from=old.history_from if old else None,
        )
        record = self._dated(record, judged, alive, now=now)
        return _change(entry, record, now=now, because=because)

    def judged_again(
        self, entry: VmEntry, judged: Judged, *, now: datetime, because: str
    ) -> Change:
        """Return the entry with a new judgement; a VM that is unknown or gone is not judged."""
        if entry.record is None or entry.record.deleted_at is not None:
            return Change(entry)
        record = replace(entry.record, image=judged.image, definition=judged.definition)
        record = self._dated(record, judged, entry.record, now=now)
        return _change(entry, record, now=now, because=because)

    def _dated(
        self, record: VmRecord, judged: Judged, old: VmRecord | None, *, now: datetime
    ) -> VmRecord:
        """Return *record* with the judgement, and by when something is to be done.

        *old* is what was held on the same machine.
        """
        judgement, asked = judged.judgement, self.policy.of(record.team)
        since = _since(old, record, judgement, now)
        runs_since = record.runs_since or record.first_seen_at
        is_model = record.machine is Machine.SCALE_SET
        return replace(
            record,
            verdict=judgement.verdict,
            reason=judgement.reason,
            rule=judgement.rule,
            since=since,
            behind=judgement.behind,
            newest=judgement.newest,
            image_published_at=judgement.published_at,
            due_at=asked.due_at(judgement.verdict, max(since or record.first_seen_at, runs_since)),
            plan_due_at=None
            if is_model
            else asked.plan_due_at(
                record.kind,
                created_at=record.created_at or record.first_seen_at,
                runs_since=runs_since,
            ),
        )


def _lives_on(old: VmRecord, facts: VmFacts) -> bool:
    """Tell whether the machine that was recorded is the one that is there.

    One deleted and made again within minutes may never have been seen as gone.
    """
    return old.deleted_at is None and not is_made_again(old.created_at, facts.created_at)


def _herd_of(facts: VmFacts) -> str:
    """Return the scale set a machine belongs to; a scale set's model belongs to itself."""
    return facts.resource_id if facts.machine is Machine.SCALE_SET else facts.scale_set_id


def _runs_since(old: VmRecord | None, facts: VmFacts, image: Image, now: datetime) -> datetime:
    """Return since when a VM runs *image*: since it was made, or since we saw it change."""
    if old is None:
        return facts.created_at or now
    return old.runs_since or old.first_seen_at if _is_same(old.image, image) else now


def _since(
    old: VmRecord | None, record: VmRecord, judgement: Judgement, now: datetime
) -> datetime | None:
    """Return since when the verdict holds: by the register, or since it was seen to change.

    A verdict that stays keeps its beginning: the register forgets when versions that came between
    are retired, and a grace period must not begin anew with each.
    """
    told = judgement.since
    if old is None or judgement.verdict is Verdict.CURRENT or not _is_same(old.image, record.image):
        return told
    if old.verdict is not judgement.verdict:
        return told or now
    return min((at for at in (old.since, told) if at), default=None)


def _is_same(one: Image, other: Image) -> bool:
    return (one.image_id, one.version) == (other.image_id, other.version)


def gone(entry: VmEntry, *, now: datetime, because: str) -> Change:
    """Return the entry of a VM that Azure no longer knows; one never seen stays unknown."""
    if entry.record is None or entry.record.deleted_at is not None:
        return Change(entry)
    return _change(entry, replace(entry.record, deleted_at=now), now=now, because=because)


def policy_said(entry: VmEntry, *, now: datetime, because: str) -> Change:
    """Return the entry with the roll-up of the policy states it holds."""
    if entry.record is None:
        return Change(entry)
    record = replace(
        entry.record,
        policy=roll_up(entry.policy_states),
        policy_as_of=evaluated_at(entry.policy_states),
    )
    return _change(entry, record, now=now, because=because)


def tattoo_read(entry: VmEntry, reading: TattooReading, *, now: datetime) -> Change:
    """Return the entry with what was read in the guest."""
    if entry.record is None:
        return Change(entry)
    record = replace(entry.record, tattoo=reading)
    return _change(entry, record, now=now, because=f"tattoo read by {reading.by}")


def _change(entry: VmEntry, record: VmRecord, *, now: datetime, because: str) -> Change:
    """Keep the books: nothing where nothing differs, else history lines, times and their count."""
    old = entry.record
    if old is not None:
        kept = replace(
            record, changed_at=old.changed_at, as_of=old.as_of, transitions=old.transitions
        )
        if kept == old:
            return Change(entry)
    lines = _lines(old, record, now=now, because=because)
    count = old.transitions if old else 0
    record = replace(
        record,
        changed_at=now if lines or old is None else old.changed_at,
        as_of=now,
        transitions=count + len(lines),
    )
    return Change(replace(entry, record=record), lines)


def _lines(
    old: VmRecord | None, new: VmRecord, *, now: datetime, because: str
) -> tuple[Transition, ...]:
    """Return one line per watched fact that differs; at first sight only what matters most."""
    before, after = watched(old) if old else {}, watched(new)
    if old is None:
        first = f"{new.image.image_id} {new.image.version}".strip() or "unknown image"
        after = {FIRST_SEEN: first, "verdict": str(new.verdict), "policy": new.policy}
    return tuple(
        Transition(what=what, old=before.get(what, ""), new=value, at=now, because=because)
        for what, value in after.items()
        if before.get(what, "") != value
    )
