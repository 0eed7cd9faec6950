"""How a VM's record changes, and the lines its history gains; pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.history import Transition
from shared.domain.identifiers import normalise_region, parse_resource_id, vm_key
from shared.domain.policy import roll_up
from shared.domain.team import TeamRules, kind_of, team_of
from shared.domain.vm_record import Image, Verdict, VmFacts, VmRecord
from shared.ports import VmEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An image under our own id, and how it stands."""

    image: Image
    definition: str
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """A VM's entry as it is to be, and the lines its history gains; none when it is unchanged."""

    entry: VmEntry
    lines: tuple[Transition, ...] = ()


def seen(
    entry: VmEntry,
    facts: VmFacts,
    judged: Judged,
    *,
    teams: TeamRules,
    kind_tag: str,
    now: datetime,
    because: str,
) -> Change:
    """Return the entry of a VM that Azure describes as *facts*."""
    parsed = parse_resource_id(facts.resource_id)
    old = entry.record
    record = VmRecord(
        key=vm_key(facts.resource_id),
        resource_id=facts.resource_id,
        name=facts.name,
        subscription_id=parsed.subscription_id,
        resource_group=parsed.resource_group,
        region=normalise_region(facts.region),
        image=judged.image,
        definition=judged.definition,
        team=team_of(
            teams,
            tags=facts.tags,
            resource_group=parsed.resource_group,
            subscription_id=parsed.subscription_id,
        ),
        kind=kind_of(kind_tag, tags=facts.tags, scale_set_id=facts.scale_set_id),
        verdict=judged.verdict,
        reason=judged.reason,
        policy=roll_up(entry.policy_states),
        first_seen_at=old.first_seen_at if old else now,
        changed_at=now,
        as_of=now,
        scale_set_id=facts.scale_set_id,
        created_at=facts.created_at,
        os=facts.os,
    )
    return _change(entry, record, now=now, because=because)


def gone(entry: VmEntry, *, now: datetime, because: str) -> Change:
    """Return the entry of a VM that Azure no longer knows; one never seen stays unknown."""
    if entry.record is None or entry.record.deleted_at is not None:
        return Change(entry)
    return _change(entry, replace(entry.record, deleted_at=now), now=now, because=because)


def judged_again(entry: VmEntry, judged: Judged, *, now: datetime, because: str) -> Change:
    """Return the entry with a new judgement; a VM that is unknown or gone is not judged."""
    if entry.record is None or entry.record.deleted_at is not None:
        return Change(entry)
    record = replace(
        entry.record,
        image=judged.image,
        definition=judged.definition,
        verdict=judged.verdict,
        reason=judged.reason,
    )
    return _change(entry, record, now=now, because=because)


def policy_said(entry: VmEntry, *, now: datetime, because: str) -> Change:
    """Return the entry with the roll-up of the policy states it holds."""
    if entry.record is None:
        return Change(entry)
    record = replace(entry.record, policy=roll_up(entry.policy_states))
    return _change(entry, record, now=now, because=because)


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
    before, after = _watched(old), _watched(new)
    if old is None:
        first = f"{new.image.image_id} {new.image.version}".strip() or "unknown image"
        after = {"first-seen": first, "verdict": str(new.verdict), "policy": new.policy}
    return tuple(
        Transition(what=what, old=before.get(what, ""), new=value, at=now, because=because)
        for what, value in after.items()
        if before.get(what, "") != value
    )


def _watched(record: VmRecord | None) -> dict[str, str]:
    """Return the facts a history is kept of, as text."""
    if record is None:
        return {}
    return {
        "deleted": record.deleted_at.isoformat() if record.deleted_at else "",
        "image": f"{record.image.image_id} {record.image.version}".strip(),
        "region": record.region,
        "team": record.team,
        "kind": str(record.kind),
        "verdict": str(record.verdict),
        "policy": record.policy,
    }
