"""The fleet in numbers: counting rows into tallies, which can be merged in any order.

Of the whole fleet and of each team: how many VMs have which value of each dimension, crossed with
their verdict. Sums instead of means are kept, so that means stay exact however parts are merged.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.fleet_row import FleetRow
from shared.domain.vm_record import Verdict

ALL = ""
"""Scope of the whole fleet; any other scope is the name of a team."""
BLANK = "(none)"
"""Value of a dimension that is not known of a VM."""
OTHER = "(other)"
"""Value that stands for all a snapshot has no room for."""
MAX_VALUES = 2000
"""Values a finished snapshot tells apart in one dimension; and teams that get one of their own."""

_MINUTE = timedelta(minutes=1)


class Dimension(StrEnum):
    """What VMs are counted by."""

    TEAM = "team"
    """Only in the snapshot of the whole fleet."""
    IMAGE = "image"
    """Name of our image definition, else the id of the foreign image."""
    VERSION = "version"
    """`<definition>/<version>`, of golden images alone."""
    VERDICT = "verdict"
    KIND = "kind"
    REGION = "region"
    SUBSCRIPTION = "subscription"
    POLICY = "policy"
    MACHINE = "machine"


class Grain(StrEnum):
    """How far apart the snapshots of a series are."""

    HOUR = "hour"
    DAY = "day"


type Counts = Mapping[str, Mapping[Verdict, int]]
"""By value and verdict."""

type _Cell = tuple[Dimension, str, Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """VMs that were counted."""

    count: int = 0
    overdue: int = 0
    """Of those, how many had something due before they were counted."""
    age_minutes: int = 0
    """Sum of their ages."""
    golden: int = 0
    """How many run a published version of one of our images."""
    image_age_minutes: int = 0
    """Sum of the ages of those versions."""
    by: Mapping[Dimension, Counts] = field(default_factory=dict)

    @property
    def mean_age(self) -> timedelta | None:
        """Mean age of the VMs; None for no VM."""
        return self.age_minutes / self.count * _MINUTE if self.count else None

    @property
    def mean_image_age(self) -> timedelta | None:
        """Mean time since the versions they run were published; None where none runs one."""
        return self.image_age_minutes / self.golden * _MINUTE if self.golden else None

    def total(self, dimension: Dimension, value: str) -> int:
        """Return how many VMs have *value*, whatever their verdict."""
        return sum(self.by.get(dimension, {}).get(value, {}).values())

    def bounded(self, most: int) -> "Tally":
        """Return the same with at most *most* values in each dimension, the rest as `OTHER`.

        Those with the most VMs stay.
        """
        return replace(self, by={d: bounded(counts, most) for d, counts in self.by.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The tally of one scope, finished."""

    team: str
    """`ALL` for the whole fleet."""
    at: datetime
    """The hour it was taken for."""
    as_of: datetime
    """When counting began; ages and overdue days are those of then."""
    tally: Tally


type Part = Mapping[str, Tally]
"""Tallies by scope."""


def count_rows(rows: Iterable[FleetRow], *, as_of: datetime) -> Part:
    """Count *rows* into the tally of the whole fleet and those of their teams."""
    tallies: defaultdict[str, _Counting] = defaultdict(_Counting)
    for row in rows:
        tallies[ALL].add(row, as_of)
        tallies[ALL].cells[Dimension.TEAM, row.team or BLANK, Verdict(row.verdict)] += 1
        if row.team:
            tallies[row.team].add(row, as_of)
    return {scope: counting.tally() for scope, counting in tallies.items()}


def merge(parts: Iterable[Part]) -> Part:
    """Return the sum of *parts*: of rows counted apart, what counting them at once gives."""
    by_scope: defaultdict[str, _Counting] = defaultdict(_Counting)
    for part in parts:
        for scope, tally in part.items():
            by_scope[scope].merge(tally)
    return {scope: counting.tally() for scope, counting in by_scope.items()}


def finish(part: Part, *, at: datetime, as_of: datetime) -> list[Snapshot]:
    """Return the snapshots of the teams, and that of the whole fleet last; each bounded.

    There is always one of the whole fleet. Only the teams it tells apart get one of their own.
    """
    whole = part.get(ALL, Tally()).bounded(MAX_VALUES)
    teams = sorted(team for team in whole.by.get(Dimension.TEAM, {}) if team in part)
    snapshots = [
        Snapshot(team=team, at=at, as_of=as_of, tally=part[team].bounded(MAX_VALUES))
        for team in teams
    ]
    return [*snapshots, Snapshot(team=ALL, at=at, as_of=as_of, tally=whole)]


def bounded(counts: Counts, most: int) -> Counts:
    """Return *counts* with at most *most* values, those with the most VMs; the rest as `OTHER`."""
    named = {value for value in counts if value != OTHER}
    if len(named) <= most:
        return counts
    by_size = sorted(named, key=lambda value: (-sum(counts[value].values()), value))
    return fold(counts, by_size[:most])


def fold(counts: Counts, keep: Iterable[str]) -> Counts:
    """Return *counts* with the values in *keep* alone, all others added up as `OTHER`."""
    kept = {value: counts[value] for value in keep if value in counts and value != OTHER}
    rest: Counter[Verdict] = Counter()
    for value, verdicts in counts.items():
        if value not in kept:
            rest.update(verdicts)
    return {**kept, OTHER: dict(rest)} if rest else kept


@dataclass(slots=True)
class _Counting:
    """A tally in the making."""

    count: int = 0
    overdue: int = 0
    age_minutes: int = 0
    golden: int = 0
    image_age_minutes: int = 0
    cells: Counter[_Cell] = field(default_factory=Counter)

    def add(self, row: FleetRow, as_of: datetime) -> None:
        """Count one VM, in all dimensions but the team."""
        self.count += 1
        self.overdue += row.due_at is not None and row.due_at < as_of
        self.age_minutes += _minutes(as_of - row.created_at)
        if row.definition and row.image_published_at is not None:
            self.golden += 1
            self.image_age_minutes += _minutes(as_of - row.image_published_at)
        verdict = Verdict(row.verdict)
        for dimension, value in _values(row):
            self.cells[dimension, value or BLANK, verdict] += 1

    def merge(self, tally: Tally) -> None:
        """Add what was counted elsewhere."""
        self.count += tally.count
        self.overdue += tally.overdue
        self.age_minutes += tally.age_minutes
        self.golden += tally.golden
        self.image_age_minutes += tally.image_age_minutes
        for dimension, counts in tally.by.items():
            for value, verdicts in counts.items():
                for verdict, number in verdicts.items():
                    self.cells[dimension, value, verdict] += number

    def tally(self) -> Tally:
        """Return what was counted."""
        by: dict[Dimension, dict[str, dict[Verdict, int]]] = {}
        for (dimension, value, verdict), number in self.cells.items():
            by.setdefault(dimension, {}).setdefault(value, {})[verdict] = number
        return Tally(
            count=self.count,
            overdue=self.overdue,
            age_minutes=self.age_minutes,
            golden=self.golden,
            image_age_minutes=self.image_age_minutes,
            by=by,
        )


def _values(row: FleetRow) -> Iterator[tuple[Dimension, str]]:
    yield Dimension.IMAGE, row.definition or row.image_id
    if row.definition:
        yield Dimension.VERSION, version_value(row.definition, row.version)
    yield Dimension.VERDICT, row.verdict
    yield Dimension.KIND, row.kind
    yield Dimension.REGION, row.region
    yield Dimension.SUBSCRIPTION, row.subscription_id
    yield Dimension.POLICY, row.policy
    yield Dimension.MACHINE, row.machine


def version_value(definition: str, version: str) -> str:
    """Return the value of a golden image version in its dimension."""
    return f"{definition}/{version or BLANK}"


def _minutes(age: timedelta) -> int:
    """Return whole minutes; a VM made while the counting goes on is no younger than none."""
    return max(age, timedelta()) // _MINUTE
