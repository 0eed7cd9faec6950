"""Reports on the fleet: the snapshots as numbers, and what is overdue.

All but the overdue list read snapshots, never the fleet.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.adoption import Uptake, hours_until, uptake
from shared.domain.overdue import overdue
from shared.domain.snapshot import Counts, Dimension, Grain, Snapshot, Tally, bounded, fold
from shared.fleet.sheets import OVERDUE_SHEET, row_of
from shared.fleet.take_snapshot import HOURLY_KEPT
from shared.ports import every
from shared.web.api import links, unknown_image
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.fleet_schema import AdoptionQuery, OverdueQuery, TeamQuery, TrendQuery
from shared.web.negotiation import CSV, VARY, csv_answer, negotiate
from shared.web.pages import fetch, page_answer
from shared.web.problems import bad_request, conflict, unknown
from shared.web.schema import read_query
from shared.web.views.reports import (
    ADOPTION_COLUMNS,
    SUMMARY_COLUMNS,
    TREND_COLUMNS,
    overdue_view,
    summary_rows,
    summary_view,
    trend_rows,
    trend_view,
    uptake_view,
)
from shared.web.views.values import instant
from shared.web.vm_filters import fixed_in_time, time_of, vm_filter

_DEFAULT_SPAN = {Grain.HOUR: timedelta(days=2), Grain.DAY: timedelta(days=90)}
_LONGEST = {Grain.HOUR: HOURLY_KEPT, Grain.DAY: timedelta(days=1100)}
"""What one answer holds: every hourly snapshot there is, or three years of days."""
_HALF, _NEARLY_ALL = 0.5, 0.95


async def get_summary(request: ApiRequest, app: App) -> ApiResponse:
    """GET reports/summary: the newest snapshot of the fleet, or of one team."""
    asked = read_query(request, TeamQuery)
    form = negotiate(request, asked.format)
    snapshot = await _newest(asked.team, app)
    if form == CSV:
        return csv_answer(SUMMARY_COLUMNS, summary_rows(snapshot))
    return ApiResponse(status=200, body=summary_view(snapshot), headers=VARY)


async def get_trend(request: ApiRequest, app: App) -> ApiResponse:
    """GET reports/trend: snapshots over time, by the values of one dimension, oldest first."""
    asked = read_query(request, TrendQuery)
    form = negotiate(request, asked.format)
    since, until = _span(asked, app)
    points: list[tuple[Snapshot, Counts]] = []
    named: list[str] | None = None
    async for snapshot in _series(
        asked.grain, [asked.by], since=since, until=until, team=asked.team, app=app
    ):
        counts = snapshot.tally.by.get(asked.by, {})
        if named is None:  # the newest comes first, and says which values are told apart
            named = list(bounded(counts, asked.top))
        points.append((snapshot, fold(counts, named)))
    points.reverse()
    if form == CSV:
        return csv_answer(TREND_COLUMNS, trend_rows(points, asked.by))
    body: Json = {
        "by": asked.by.value,
        "grain": asked.grain.value,
        "team": asked.team or None,
        "from": instant(since),
        "to": instant(until),
        "points": [trend_view(snapshot, counts) for snapshot, counts in points],
        "as_of": instant(points[-1][0].as_of if points else app.now()),
    }
    return ApiResponse(status=200, body=body, headers=VARY)


async def get_adoption(request: ApiRequest, app: App) -> ApiResponse:
    """GET reports/adoption: how the fleet took a version up since it was published."""
    asked = read_query(request, AdoptionQuery)
    form = negotiate(request, asked.format)
    published_at = await _published_at(asked, app)
    curve = await _curve(asked, published_at, app)
    points = [uptake_view(point) for point in curve]
    if form == CSV:
        named = {"image": asked.image, "version": asked.version}
        return csv_answer(ADOPTION_COLUMNS, ({**named, **point} for point in points))
    by_day = any(point.grain is Grain.DAY for point in curve)
    body: Json = {
        "image": asked.image,
        "version": asked.version,
        "team": asked.team or None,
        "published_at": instant(published_at),
        "hours_to_half": hours_until(_HALF, curve, published_at=published_at),
        "hours_to_95": hours_until(_NEARLY_ALL, curve, published_at=published_at),
        "resolution": (Grain.DAY if by_day else Grain.HOUR).value,
        "points": points,
        "as_of": points[-1]["at"] if points else instant(app.now()),
    }
    return ApiResponse(status=200, body=body, headers=VARY)


async def list_overdue(request: ApiRequest, app: App) -> ApiResponse:
    """GET reports/overdue: VMs whose due day has passed; a page of the register."""
    asked = read_query(request, OverdueQuery)
    form = negotiate(request, asked.format)
    as_of = time_of(asked, now=app.now())
    wanted = vm_filter(asked, overdue_at=as_of)
    page = await fetch(app.vms.list(wanted, limit=asked.limit, cursor=asked.cursor))
    found = [overdue(vm, policy=app.fleet_policy, as_of=as_of) for vm in page.items]
    late = [item for item in found if item]
    going_on, to = fixed_in_time(request, as_of), links(request, app)
    if form == CSV:
        rows = (row_of(OVERDUE_SHEET, item) for item in late)
        following = to.next_page(going_on, page.cursor)
        return csv_answer(list(OVERDUE_SHEET), rows, following=following)
    items = [overdue_view(item, to) for item in late]
    answer = page_answer(going_on, to, items, page.cursor, now=app.now())
    return replace(answer, headers=VARY)


async def _newest(team: str, app: App) -> Snapshot:
    """Return the newest snapshot; that of a team that has no VM any more counts none."""
    whole = await app.snapshots.newest()
    if whole is None:
        raise unknown(
            "snapshot",
            "No snapshot of the fleet was finished yet; the next one is begun when "
            "ASSAY_SNAPSHOT_SCHEDULE says.",
        )
    if not team:
        return whole
    if own := await app.snapshots.get(Grain.HOUR, whole.at, team=team):
        return own
    if await app.snapshots.newest(team=team):
        return replace(whole, team=team, tally=Tally())
    raise unknown(
        "team",
        f"No snapshot knows a team {team!r}; teams_url counts those there are. A team appears "
        "with the snapshot after its first VM.",
    )


def _span(asked: TrendQuery, app: App) -> tuple[datetime, datetime]:
    until = asked.until or app.now() + timedelta(seconds=1)
    since = asked.since or until - _DEFAULT_SPAN[asked.grain]
    if since >= until:
        raise bad_request(("from", "it must be before to"))
    if until - since > _LONGEST[asked.grain]:
        days = _LONGEST[asked.grain].days
        raise bad_request(
            ("from", f"a trend by {asked.grain} spans {days} days at most; ask for less")
        )
    return since, until


def _series(
    grain: Grain,
    dimensions: Sequence[Dimension],
    *,
    since: datetime,
    until: datetime,
    team: str,
    app: App,
) -> AsyncIterator[Snapshot]:
    """Yield the snapshots of a span, newest first, read in pages."""
    return every(
        lambda cursor: app.snapshots.series(
            grain, dimensions, since=since, before=until, team=team, cursor=cursor
        )
    )


async def _published_at(asked: AdoptionQuery, app: App) -> datetime:
    stored = await app.image_versions.get(asked.image, asked.version)
    if stored is None:
        if not await app.image_versions.list(asked.image):
            raise unknown_image(asked.image, app)
        raise unknown("version", f"Image {asked.image!r} has no version {asked.version!r}.")
    if stored.value.published_at is None:
        raise conflict(
            "version-not-published",
            "Version not published",
            f"Version {asked.version} of {asked.image} was never published, it is "
            f"{stored.value.state}; nobody can have taken it up.",
            present={"state": stored.value.state.value},
        )
    return stored.value.published_at


async def _curve(asked: AdoptionQuery, published_at: datetime, app: App) -> list[Uptake]:
    """Return the curve, oldest point first: hourly as far back as there are such, else daily."""
    now = app.now() + timedelta(seconds=1)
    hourly_from = max(published_at, now - HOURLY_KEPT)
    spans = [(Grain.HOUR, hourly_from, now), (Grain.DAY, published_at, hourly_from)]
    points = [
        uptake(snapshot, grain, definition=asked.image, version=asked.version)
        for grain, since, until in spans
        if since < until
        async for snapshot in _series(
            grain,
            [Dimension.VERSION, Dimension.IMAGE],
            since=since,
            until=until,
            team=asked.team,
            app=app,
        )
    ]
    return sorted((p for p in points if p.at >= published_at), key=lambda point: point.at)
