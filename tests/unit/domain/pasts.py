"""VMs with a past: a record and the lines that led to it, minute by minute after noon."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.history import FIRST_SEEN, Transition, VmLine, watched
from shared.domain.vm_record import Image, Kind, Verdict, VmRecord

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
IMAGE = "/galleries/golden/images/ubuntu"


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def a_record(**changes: Any) -> VmRecord:
    record = VmRecord(
        key="1.abc",
        resource_id="/vm",
        name="vm",
        subscription_id="1",
        resource_group="rg",
        region="westeurope",
        image=Image(image_id=IMAGE, version="1.0.0"),
        definition="ubuntu",
        team="web",
        kind=Kind.PET,
        verdict=Verdict.CURRENT,
        reason="",
        policy="",
        first_seen_at=NOON,
        changed_at=NOON,
        as_of=NOON,
    )
    return replace(record, **changes)


@dataclass
class Story:
    """A VM as it was first seen at noon, and what became of it."""

    record: VmRecord

    def __post_init__(self) -> None:
        self.lines: list[VmLine] = []
        self._add(FIRST_SEEN, "", "its image", NOON)
        self._add("verdict", "", str(self.record.verdict), NOON)
        if self.record.policy:
            self._add("policy", "", self.record.policy, NOON)

    def then(self, at: datetime, **changes: Any) -> "Story":
        """Let facts change at that time; each that differs gives a line."""
        before, after = watched(self.record), watched(replace(self.record, **changes))
        self.record = replace(self.record, **changes)
        for what, value in after.items():
            if before[what] != value:
                self._add(what, before[what], value, at)
        return self

    def trimmed(self, cut: datetime) -> "Story":
        """Drop the lines before *cut*, but the last of each kind, as `Vms.trim` does."""
        old = [line for line in self.lines if line.transition.at < cut]
        last = {line.transition.what: line.number for line in old}
        story = Story(replace(self.record, history_from=cut))
        story.record = replace(self.record, history_from=cut)
        story.lines = [
            line for line in self.lines if line not in old or line.number in last.values()
        ]
        return story

    def _add(self, what: str, old: str, new: str, at: datetime) -> None:
        number = self.lines[-1].number + 1 if self.lines else 1
        self.lines.append(a_line(number, Transition(what=what, old=old, new=new, at=at, because=f"line {number}")))  # fmt: skip  # noqa: E501
        self.record = replace(self.record, transitions=number)


def a_line(number: int, transition: Transition) -> VmLine:
    return VmLine(
        key="1.abc", resource_id="/vm", number=number, team="web", definition="ubuntu",
        version="1.0.0", transition=transition,
    )  # fmt: skip


def shown(periods: Sequence[Any]) -> list[tuple[str, float, float | None]]:
    """Return periods as (value, from minute, to minute)."""
    return [
        (p.value, (p.start - NOON) / timedelta(minutes=1), p.end and (p.end - NOON) / timedelta(minutes=1))  # noqa: E501
        for p in periods
    ]  # fmt: skip
