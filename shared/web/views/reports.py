"""Reports as they are answered: as JSON, and as rows for CSV."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from shared.domain.adoption import Uptake
from shared.domain.overdue import Overdue
from shared.domain.snapshot import Counts, Dimension, Snapshot
from shared.fleet.sheets import OVERDUE_SHEET, Value, row_of
from shared.web.exchange import Json, Links
from shared.web.views.values import instant

SUMMARY_COLUMNS = ("at", "as_of", "team", "measure", "dimension", "value", "verdict", "number")
TREND_COLUMNS = ("at", "as_of", "team", "dimension", "value", "verdict", "vms")
ADOPTION_COLUMNS = ("at", "image", "version", "exactly", "at_least", "all", "share", "grain")
_DAY = timedelta(days=1)
_DIGITS = 4
"""Of means and shares behind the point."""


def summary_view(snapshot: Snapshot) -> Json:
    """Return a snapshot in all its dimensions."""
    return {
        "team": snapshot.team or None,
        **_measures(snapshot),
        "by": {d.value: _counts(snapshot.tally.by.get(d, {})) for d in _dimensions(snapshot)},
    }


def summary_rows(snapshot: Snapshot) -> Iterator[dict[str, Value]]:
    """Return one row a measure, and one a value and verdict."""
    measures = _measures(snapshot)
    at, as_of = measures.pop("at"), measures.pop("as_of")
    start = {"at": at, "as_of": as_of, "team": snapshot.team or None}
    blank = {"dimension": None, "value": None, "verdict": None}
    for measure, number in measures.items():
        yield {**start, "measure": measure, **blank, "number": number}
    for dimension in _dimensions(snapshot):
        for value, verdicts in snapshot.tally.by.get(dimension, {}).items():
            for verdict, number in verdicts.items():
                cell = {"dimension": dimension.value, "value": value, "verdict": verdict.value}
                yield {**start, "measure": "vms", **cell, "number": number}


def trend_view(snapshot: Snapshot, counts: Counts) -> Json:
    """Return one point of a trend; *counts* are those of its one dimension."""
    return {**_measures(snapshot), "values": _counts(counts)}


def trend_rows(
    points: Iterable[tuple[Snapshot, Counts]], dimension: Dimension
) -> Iterator[dict[str, Value]]:
    """Return one row a point, value and verdict."""
    for snapshot, counts in points:
        for value, verdicts in counts.items():
            for verdict, vms in verdicts.items():
                yield {
                    "at": instant(snapshot.at),
                    "as_of": instant(snapshot.as_of),
                    "team": snapshot.team or None,
                    "dimension": dimension.value,
                    "value": value,
                    "verdict": verdict.value,
                    "vms": vms,
                }


def uptake_view(point: Uptake) -> dict[str, Value]:
    """Return one point of an adoption curve."""
    return {
        "at": instant(point.at),
        "exactly": point.exactly,
        "at_least": point.at_least,
        "all": point.all,
        "share": None if point.share is None else round(point.share, _DIGITS),
        "grain": point.grain.value,
    }


def overdue_view(late: Overdue, links: Links) -> Json:
    """Return a VM that is overdue."""
    return {**row_of(OVERDUE_SHEET, late), "url": links.to("vms", late.vm.key)}


def _measures(snapshot: Snapshot) -> Json:
    return {
        "at": instant(snapshot.at),
        "as_of": instant(snapshot.as_of),
        "vms": snapshot.tally.count,
        "overdue": snapshot.tally.overdue,
        "mean_age_days": _days(snapshot.tally.mean_age),
        "mean_image_age_days": _days(snapshot.tally.mean_image_age),
    }


def _dimensions(snapshot: Snapshot) -> list[Dimension]:
    return [d for d in Dimension if d is not Dimension.TEAM or not snapshot.team]


def _counts(counts: Counts) -> dict[str, dict[str, int]]:
    return {value: {v.value: n for v, n in verdicts.items()} for value, verdicts in counts.items()}


def _days(age: timedelta | None) -> float | None:
    return None if age is None else round(age / _DAY, _DIGITS)
