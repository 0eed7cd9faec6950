"""The tattoo in the guest of a running VM: when it is read, and how it stands to what we hold.

Three places hold the facts of an image version: the guest of every VM made from it, the register,
and the tags of the gallery version. Where they differ, somebody changed one of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.tattoo import TAG_PREFIX, parse, stamped
from shared.domain.vm_record import Machine, TattooReading, TattooState, VmRecord

CONFIGURATION = "AssayTattoo"
"""Name of the machine configuration assignment that reports the tattoo."""
BY_COMMAND = "run-command"
BY_CONFIGURATION = "machine-configuration"

_LONGEST_VALUE = 100
_LONGEST_WORDS = 300
_NOTHING_THERE = ("no such file", "cannot find path", "pathnotfound", "objectnotfound")
"""What `cat` and PowerShell say of a file or registry key that is not there, in lower case; the
last two are PowerShell's own names of the error, which it does not translate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look into a guest brought: facts, none when it has no tattoo, or why neither."""

    facts: Mapping[str, str] = field(default_factory=dict)
    unreadable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What register and gallery say of the version a VM runs."""

    register: Mapping[str, str] = field(default_factory=dict)
    """The facts in the register; none when it does not have the version."""
    tags: Mapping[str, str] | None = None
    """The tags of the gallery version; None when the gallery does not have it."""


def may_read(record: VmRecord, policy: FleetPolicy) -> bool:
    """Tell whether the guest of a VM may be looked into: it is there, and its tag says `true`."""
    said = record.labels.get(policy.tattoo_tag, "").strip().lower()
    is_there = record.deleted_at is None and record.machine is not Machine.SCALE_SET
    return is_there and said == "true"


def needs_reading(record: VmRecord, now: datetime, policy: FleetPolicy) -> bool:
    """Tell whether the tattoo of a VM is due to be read.

    It is when the VM opted in and was never read, runs another image than then, or was read too
    long ago.
    """
    if not may_read(record, policy):
        return False
    last = record.tattoo
    if last is None or last.version != record.image.version:
        return True
    return not is_fresh(record, last.read_at, now, policy)


def is_fresh(record: VmRecord, looked_at: datetime, now: datetime, policy: FleetPolicy) -> bool:
    """Tell whether what was seen in the guest at *looked_at* still counts.

    Machine configuration tells the time in whole seconds: one that looked in the second the VM
    began to run its image has looked in time.
    """
    began = (record.runs_since or record.first_seen_at).replace(microsecond=0)
    return looked_at >= began and now - looked_at < policy.tattoo_every


def from_command(exit_code: int | None, output: str, error: str) -> Found:
    """Return what the run command of `tattoo_reader` found."""
    if exit_code == 0:
        return Found(facts=parse(output))
    if any(words in error.lower() for words in _NOTHING_THERE):
        return Found()
    words = " ".join(error.split())[:_LONGEST_WORDS] or "it said nothing"
    return Found(unreadable=f"the script ended with exit code {exit_code}: {words}")


def from_configuration(reasons: Iterable[tuple[str, str]]) -> Found | None:
    """Return what the *reasons* (code and phrase) of a machine configuration report say.

    The phrase of the reason whose code ends in `:tattoo` holds the facts as `key=value`, in lines
    or between semicolons; a code that ends in `:absent` says that there is no tattoo. Anything
    else, and no reason at all, tells nothing (None): a status alone does not say which tattoo it
    is of, and reasons of compliant machines are not sure to be kept.
    """
    for code, phrase in reasons:
        kind = code.rpartition(":")[2].lower()
        if kind == "absent":
            return Found()
        if kind == "tattoo" and (facts := parse(phrase.replace(";", "\n"))):
            return Found(facts=facts)
    return None


def reading_of(
    record: VmRecord, found: Found, held: Held, *, by: str, at: datetime
) -> TattooReading:
    """Return what a look into the guest *at* a time amounts to."""
    state, differences = _judge(record, found, held)
    reading = TattooReading(
        state=state,
        read_at=at,
        by=by,
        version=record.image.version,
        differences=differences,
        since=at,
    )
    last = record.tattoo
    same = last and replace(reading, read_at=last.read_at, by=last.by, since=last.since) == last
    return replace(reading, since=last.since) if last and same else reading


def is_news(reading: TattooReading) -> bool:
    """Tell whether *reading* is the first to say that the tattoo is wrong, or wrong like this."""
    wrong = reading.state in (TattooState.MISMATCH, TattooState.ABSENT)
    return wrong and reading.since == reading.read_at


def _judge(record: VmRecord, found: Found, held: Held) -> tuple[TattooState, tuple[str, ...]]:
    if found.unreadable:
        return TattooState.UNREADABLE, (found.unreadable,)
    if not found.facts:
        return TattooState.ABSENT, ()
    if not held.register:
        return TattooState.MISMATCH, (_false_claim(record, found.facts),)
    differences = tuple(_differences(found.facts, held))
    return (TattooState.MISMATCH if differences else TattooState.MATCH), differences


def _false_claim(record: VmRecord, facts: Mapping[str, str]) -> str:
    """Say what the guest claims to be although the VM does not run one of our versions."""
    claimed = f"version {_shown(facts.get('version'))} of {_shown(facts.get('definition'))}"
    claims = f"the guest claims to be {claimed}, but the VM"
    image = f"{record.image.image_id} {record.image.version}".strip()
    if not image:
        return f"{claims} runs an image nobody can name"
    if not record.definition:
        return f"{claims} runs {image}, which is none of ours"
    return f"{claims} runs {image}, of which the register has no tattoo"


def _differences(guest: Mapping[str, str], held: Held) -> Iterable[str]:
    """Yield a sentence per fact of the register that guest or gallery leave out or contradict.

    Further facts are no fault: the guest adds its own, and the gallery has other tags too.
    """
    gallery = None
    if held.tags is not None:
        tags = {name.lower(): value for name, value in held.tags.items()}
        gallery = {
            n.removeprefix(TAG_PREFIX): v for n, v in tags.items() if n.startswith(TAG_PREFIX)
        }
    for key, value in stamped(dict(held.register)).items():
        said = {"the guest": guest.get(key), "the register": value}
        if gallery is not None:
            said["the gallery"] = gallery.get(key)
        if len(set(said.values())) > 1:
            yield f"{key}: {_who_says_what(said)}"


def _who_says_what(said: Mapping[str, str | None]) -> str:
    """Return who says what, whoever stands alone first."""
    values = sorted(dict.fromkeys(said.values()), key=lambda v: list(said.values()).count(v))
    parts = []
    for value in values:
        who = [place for place, its in said.items() if its == value]
        says = "say" if len(who) > 1 else "says"
        parts.append(f"{' and '.join(who)} {says} {_shown(value)}")
    return ", ".join(parts)


def _shown(value: str | None) -> str:
    if value is None:
        return "nothing"
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"
