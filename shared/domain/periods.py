"""The past of a VM, read from its history: what was true when, since when, and for how long."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from shared.domain.history import FIRST_SEEN, VmLine, watched
from shared.domain.vm_record import Verdict, VmRecord


class Presence(StrEnum):
    """Whether there was such a VM."""

    NOT_SEEN = "not-seen"
    """Not yet."""
    PRESENT = "present"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    """The lines that would tell are no longer kept."""


class Standing(StrEnum):
    """How a VM stood towards what was asked of it."""

    OUT = "out"
    """Out of policy."""
    IN = "in"
    SILENT = "silent"
    """Nobody said whether it was in or out: Azure Policy had not looked, or excused it."""
    ABSENT = "absent"
    """There was no such VM: neither in nor out."""
    UNKNOWN = "unknown"
    """The lines that would tell are no longer kept."""


POLICY, VERDICT = "policy", "verdict"
"""The two facts that say whether a VM is out of policy: by Azure Policy, and by our register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A fact held *value* from *start* until before *end*; it still does when that is None."""

    value: str
    start: datetime
    end: datetime | None
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch(Period):
    """A period in which a VM stood in one way."""

    standing: Standing

    def within(self, since: datetime, until: datetime) -> timedelta:
        """Return how long of it lies between *since* and *until*."""
        end = until if self.end is None else min(self.end, until)
        return max(end - max(self.start, since), timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """How a VM stood between two moments: the durations of all standings add up to the whole."""

    durations: Mapping[Standing, timedelta]
    out: tuple[Stretch, ...]
    """The stretches out of policy that touch the time asked for, oldest first, in full length."""

    @property
    def ever_out(self) -> bool | None:
        """Whether it was ever out; None when it was not as far as is known, but not all is."""
        if self.durations[Standing.OUT]:
            return True
        return None if self.durations[Standing.UNKNOWN] else False


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was true of a VM, and when."""

    first_seen_at: datetime
    known_from: datetime
    """From when on every change is known; of some fact none before it is kept."""
    periods: Mapping[str, tuple[Period, ...]]
    """Of each watched fact, oldest first, without gaps; the first begins where it is known."""

    def presence(self, moment: datetime) -> Presence:
        """Tell whether there was such a VM."""
        if moment < self.first_seen_at:
            return Presence.NOT_SEEN
        period = _holding(self.periods["deleted"], moment)
        if period is None:
            return Presence.UNKNOWN
        return Presence.DELETED if period.value else Presence.PRESENT

    def at(self, moment: datetime) -> dict[str, Period | None]:
        """Return the period of each watched fact that *moment* lies in; None where not known."""
        return {what: _holding(periods, moment) for what, periods in self.periods.items()}

    def compliance(self, what: str, since: datetime, until: datetime) -> Compliance:
        """Return how the VM stood by POLICY or VERDICT from *since* to before *until*."""
        stretches = self._stretches(what)
        durations = dict.fromkeys(Standing, timedelta())
        for stretch in stretches:
            durations[stretch.standing] += stretch.within(since, until)
        unseen = min(self.first_seen_at, until) - since
        durations[Standing.ABSENT] += max(unseen, timedelta())
        out = (s for s in stretches if s.standing is Standing.OUT and s.within(since, until))
        return Compliance(durations=durations, out=tuple(out))

    def _stretches(self, what: str) -> list[Stretch]:
        """Return how the VM stood since it was first seen, cut where anything changed."""
        edges = {self.first_seen_at}
        for period in (*self.periods["deleted"], *self.periods[what]):
            edges |= {period.start} | ({period.end} if period.end else set())
        marks: list[datetime | None] = [*sorted(edges), None]
        return [
            self._stretch(what, start, end) for start, end in pairwise(marks) if start is not None
        ]

    def _stretch(self, what: str, start: datetime, end: datetime | None) -> Stretch:
        presence, period = self.presence(start), _holding(self.periods[what], start)
        if presence is Presence.DELETED:
            standing = Standing.ABSENT
        elif presence is Presence.UNKNOWN or period is None:
            standing = Standing.UNKNOWN
        else:
            standing = standing_by(what, period.value)
        return Stretch(
            value=period.value if period else "",
            start=start,
            end=end,
            because=period.because if period else "",
            standing=standing,
        )


def _holding(periods: Sequence[Period], moment: datetime) -> Period | None:
    """Return the period that *moment* lies in."""
    begun = bisect_right(periods, moment, key=lambda period: period.start)
    last = periods[begun - 1] if begun else None
    return last if last and (last.end is None or moment < last.end) else None


def standing_by(what: str, value: str) -> Standing:
    """Return how a VM stands whose POLICY or VERDICT is *value*.

    By Azure Policy only `noncompliant` is out and only `compliant` is in; by our register every
    verdict but `current` is out, whether or not something is due yet.
    """
    if what == VERDICT:
        return Standing.IN if value == Verdict.CURRENT else Standing.OUT
    return {"noncompliant": Standing.OUT, "compliant": Standing.IN}.get(value, Standing.SILENT)


def past_of(record: VmRecord, lines: Iterable[VmLine]) -> Past:
    """Read the past of a VM from its *record* and its *lines*, of which some may be gone.

    Lines the record does not count yet are left out: they were written after it was read.
    """
    kept = sorted((n for n in lines if n.number <= record.transitions), key=lambda n: n.number)
    first_seen_at = _as_told(record.first_seen_at)
    timed = _timed(kept, first_seen_at)
    numbers = {line.number for line in kept}
    all_numbers = range(1, record.transitions + 1)
    first_gone = next((n for n in all_numbers if n not in numbers), record.transitions + 1)
    because = next((n.transition.because for n in kept if n.transition.what == FIRST_SEEN), "")
    begun = (first_seen_at, because)
    periods = {}
    for what, value in watched(record).items():
        told = [(at, n) for at, n in timed if n.transition.what == what]
        whole = not told or told[0][1].number < first_gone or _is_past_cut(record, told[0][1])
        periods[what] = _periods(told, value, begun if whole else None)
    return Past(
        first_seen_at=first_seen_at,
        known_from=max(of_one[0].start for of_one in periods.values()),
        periods=periods,
    )


def _as_told(at: datetime) -> datetime:
    """Return a time in whole milliseconds, as people are told it: what they ask for it is true."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


type _Timed = list[tuple[datetime, VmLine]]


def _timed(kept: Sequence[VmLine], earliest: datetime) -> _Timed:
    """Return lines with their times; none is before the one before it.

    Numbers are the true order; the clocks of two processes may differ by a little.
    """
    timed: _Timed = []
    for line in kept:
        earliest = max(earliest, _as_told(line.transition.at))
        timed.append((earliest, line))
    return timed


def _is_past_cut(record: VmRecord, first: VmLine) -> bool:
    """Tell whether the *first* line kept of a fact lies past the cut, so that none was before it.

    Of each fact the last line before the cut is kept.
    """
    cut = record.history_from
    return cut is not None and first.transition.at >= cut


def _periods(timed: _Timed, now: str, begun: tuple[datetime, str] | None) -> tuple[Period, ...]:
    """Return the periods of one fact from its lines; *now* is its value today.

    *begun* is when and why the first of all began; None where that is no longer known.
    """
    found = []
    if begun:
        found.append((timed[0][1].transition.old if timed else now, *begun))
    found += [(n.transition.new, at, n.transition.because) for at, n in timed]
    ends = [start for _, start, _ in found[1:]]
    return tuple(
        Period(value=value, start=start, end=end, because=because)
        for (value, start, because), end in zip(found, [*ends, None], strict=True)
        if end is None or start < end
    )
