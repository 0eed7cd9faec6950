"""Reports over snapshots and the register in memory."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.snapshot import ALL, Grain, Snapshot, count_rows, finish
from shared.domain.vm_record import Kind, Machine, VmRecord
from shared.web.answer import body_text
from shared.web.api import list_vms
from shared.web.exchange import ApiRequest
from shared.web.handler import Handler
from shared.web.reports import get_adoption, get_summary, get_trend, list_overdue
from tests.unit.domain.test_snapshot import row
from tests.unit.web.office import Office
from tests.unit.web.samples import NOON, NOON_TEXT, SUBSCRIPTION, VM_ID, request, version, vm

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CSV = {"accept": "text/csv"}
OTHER = {"accept": "application/xml"}
VERSION = "1.20261122.1"


@pytest.fixture
def office() -> Office:
    return Office()


async def take(office: Office, hours_ago: float, *teams: str, runs: Sequence[str] = ()) -> None:
    """Take a snapshot with a VM for each team, or for each version it *runs*."""
    at = NOON - hours_ago * HOUR
    rows = [row(team=team) for team in teams] or [row(version=v) for v in runs]
    made = finish(count_rows(rows, as_of=at), at=at, as_of=at)
    await office.snapshots.keep(Grain.DAY, made)
    await office.snapshots.keep(Grain.HOUR, made)


async def rows_of(office: Office, handler: Handler, asked: ApiRequest) -> list[dict[str, str]]:
    response = await office.ask(handler, replace(asked, headers=CSV))
    assert response.status == 200, body_text(response)
    assert response.media_type == "text/csv"
    assert response.headers["Vary"] == "Accept"
    return list(csv.DictReader(io.StringIO(body_text(response), newline="")))


def asks(page: str, **query: str) -> ApiRequest:
    return request(f"reports/{page}", query=query)


async def test_the_summary_is_the_newest_snapshot(office: Office) -> None:
    await take(office, 2, "pay")
    await take(office, 1, "pay", "pay", "web")

    body = await office.body(get_summary, asks("summary"))

    assert (body["vms"], body["overdue"], body["team"]) == (3, 0, None)
    assert body["at"] == body["as_of"] == "2026-11-22T11:00:00.000Z"
    assert (body["mean_age_days"], body["mean_image_age_days"]) == (9.9583, 20.9583)
    assert body["by"]["team"] == {"pay": {"current": 2}, "web": {"current": 1}}
    assert body["by"]["version"] == {"ubuntu/1.20261101.1": {"current": 3}}
    assert set(body["by"]) == {
        "team", "image", "version", "verdict", "kind", "region", "subscription", "policy",
        "machine",
    }  # fmt: skip


async def test_a_team_has_a_summary_of_its_own_whatever_its_case(office: Office) -> None:
    await take(office, 1, "pay", "pay", "web")

    body = await office.body(get_summary, asks("summary", team="Pay"))

    assert (body["team"], body["vms"]) == ("pay", 2)
    assert "team" not in body["by"]


async def test_a_team_that_lost_its_last_vm_has_none(office: Office) -> None:
    await take(office, 2, "pay", "web")
    await take(office, 1, "web")

    body = await office.body(get_summary, asks("summary", team="pay"))

    assert (body["vms"], body["mean_age_days"]) == (0, None)
    assert body["at"] == "2026-11-22T11:00:00.000Z"


async def test_a_team_nobody_counted_is_unknown(office: Office) -> None:
    await take(office, 1, "pay")

    body = await office.body(get_summary, asks("summary", team="pya"), status=404)

    assert body["type"] == "urn:assay:problem:unknown-team"


async def test_before_the_first_snapshot_there_is_no_summary(office: Office) -> None:
    body = await office.body(get_summary, asks("summary"), status=404)

    assert body["type"] == "urn:assay:problem:unknown-snapshot"


async def test_the_summary_as_csv_is_one_number_a_row(office: Office) -> None:
    await take(office, 1, "pay", "web")

    rows = await rows_of(office, get_summary, asks("summary"))

    assert [(r["measure"], r["number"]) for r in rows if not r["dimension"]] == [
        ("vms", "2"), ("overdue", "0"), ("mean_age_days", "9.9583"),
        ("mean_image_age_days", "20.9583"),
    ]  # fmt: skip
    (web,) = [r for r in rows if (r["dimension"], r["value"]) == ("team", "web")]
    assert (web["verdict"], web["number"], web["at"]) == (
        "current", "1", "2026-11-22T11:00:00.000Z",
    )  # fmt: skip


async def test_a_trend_goes_from_old_to_new(office: Office) -> None:
    for hours, vms in ((3, 1), (2, 2), (1, 4)):
        await take(office, hours, *["pay"] * vms)

    body = await office.body(get_trend, asks("trend", by="kind", grain="hour"))

    assert [p["vms"] for p in body["points"]] == [1, 2, 4]
    assert body["points"][-1]["values"] == {"pet": {"current": 4}}
    assert (body["by"], body["grain"], body["to"]) == ("kind", "hour", "2026-11-22T12:00:01.000Z")
    assert body["as_of"] == "2026-11-22T11:00:00.000Z"


async def test_a_trend_by_day_has_one_point_a_day(office: Office) -> None:
    for hours in (48, 25, 24, 1):
        await take(office, hours, "pay")

    body = await office.body(get_trend, asks("trend"))

    assert [p["at"] for p in body["points"]] == [
        "2026-11-20T12:00:00.000Z", "2026-11-21T11:00:00.000Z", "2026-11-22T11:00:00.000Z",
    ]  # fmt: skip


async def test_a_trend_keeps_to_a_team_and_a_span(office: Office) -> None:
    for hours in (3, 2, 1):
        await take(office, hours, "pay", "web", "web")
    query = {"from": "2026-11-22T10:00:00Z", "to": "2026-11-22T11:00:00Z"}

    body = await office.body(get_trend, asks("trend", team="web", grain="hour", **query))

    assert [(p["at"], p["vms"]) for p in body["points"]] == [("2026-11-22T10:00:00.000Z", 2)]


async def test_the_values_that_matter_at_the_end_are_told_apart(office: Office) -> None:
    await take(office, 2, "gone", "gone", "gone", "pay")
    await take(office, 1, "pay", "pay", "web")

    body = await office.body(get_trend, asks("trend", by="team", grain="hour", top="1"))

    assert [p["values"] for p in body["points"]] == [
        {"pay": {"current": 1}, "(other)": {"current": 3}},
        {"pay": {"current": 2}, "(other)": {"current": 1}},
    ]


async def test_more_snapshots_than_a_page_are_one_trend(office: Office) -> None:
    for hours in range(250):
        await take(office, hours, "pay")
    query = {"from": "2026-11-01T00:00:00Z"}

    body = await office.body(get_trend, asks("trend", grain="hour", **query))

    assert len(body["points"]) == 250
    assert body["points"][-1]["at"] == NOON_TEXT


async def test_a_trend_as_csv_is_one_number_a_row(office: Office) -> None:
    await take(office, 2, "pay")
    await take(office, 1, "pay", "web")

    rows = await rows_of(office, get_trend, asks("trend", by="team", grain="hour"))

    assert [(r["at"], r["value"], r["vms"]) for r in rows] == [
        ("2026-11-22T10:00:00.000Z", "pay", "1"),
        ("2026-11-22T11:00:00.000Z", "pay", "1"),
        ("2026-11-22T11:00:00.000Z", "web", "1"),
    ]


async def test_a_trend_without_snapshots_has_no_points(office: Office) -> None:
    body = await office.body(get_trend, asks("trend"))

    assert (body["points"], body["as_of"]) == ([], NOON_TEXT)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"by": "colour"}, "by"),
        ({"grain": "week"}, "grain"),
        ({"top": "0"}, "top"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-11-22T00:00:00"}, "from"),
        ({"from": "2026-11-23T00:00:00Z"}, "from"),
        ({"from": "2026-10-01T00:00:00Z", "grain": "hour"}, "from"),
        ({"from": "2016-10-01T00:00:00Z"}, "from"),
        ({"temperature": "1"}, "temperature"),
    ],
)
async def test_a_trend_that_cannot_be_is_refused_by_field(
    office: Office, query: dict[str, str], field: str
) -> None:
    body = await office.body(get_trend, asks("trend", **query), status=400)

    assert [e["field"] for e in body["errors"]] == [field]


async def hold_published(office: Office, hours_ago: float) -> None:
    made = replace(version(VERSION), published_at=NOON - hours_ago * HOUR)
    await office.hold_version(made)


OLD = "1.20261101.1"


def adoption(**query: str) -> ApiRequest:
    return asks("adoption", **{"image": "ubuntu", "version": VERSION, **query})


async def test_adoption_says_when_half_and_nearly_all_ran_a_version(office: Office) -> None:
    await hold_published(office, 4.5)
    await take(office, 5, runs=[VERSION] * 4)  # before it was published: of another life
    await take(office, 4, runs=[OLD] * 4)
    await take(office, 3, runs=[OLD, VERSION, VERSION, OLD])
    await take(office, 2, runs=[OLD, VERSION, "1.20261122.10", VERSION])

    body = await office.body(get_adoption, adoption())

    assert (body["hours_to_half"], body["hours_to_95"]) == (1.5, None)
    assert body["resolution"] == "hour"
    assert body["published_at"] == "2026-11-22T07:30:00.000Z"
    assert [(p["exactly"], p["at_least"], p["all"], p["share"]) for p in body["points"]] == [
        (0, 0, 4, 0.0), (2, 2, 4, 0.5), (2, 3, 4, 0.75),
    ]  # fmt: skip


async def test_where_hourly_snapshots_are_gone_adoption_is_daily(office: Office) -> None:
    await hold_published(office, 40 * 24)
    for days in (39, 33, 2):
        await take(office, days * 24, runs=[VERSION])
    await office.snapshots.sweep(Grain.HOUR, before=NOON - 31 * DAY, most=9)

    body = await office.body(get_adoption, adoption())

    assert [p["grain"] for p in body["points"]] == ["day", "day", "hour"]
    assert (body["resolution"], body["hours_to_95"]) == ("day", 24)


async def test_adoption_as_csv_is_one_point_a_row(office: Office) -> None:
    await hold_published(office, 2)
    await take(office, 1, runs=[OLD, VERSION])

    (point,) = await rows_of(office, get_adoption, adoption())

    assert (point["image"], point["version"], point["share"]) == ("ubuntu", VERSION, "0.5")


async def test_adoption_of_what_is_not_there_is_refused(office: Office) -> None:
    unknown_image = await office.body(get_adoption, adoption(image="x"), status=404)
    await office.hold_version(replace(version("1.1.1"), published_at=None))
    unknown_version = await office.body(get_adoption, adoption(), status=404)
    unpublished = await office.body(get_adoption, adoption(version="1.1.1"), status=409)
    no_version = await office.body(get_adoption, adoption(version="newest"), status=400)

    assert [b["type"].rpartition(":")[2] for b in (unknown_image, unknown_version)] == [
        "unknown-image", "unknown-version",
    ]  # fmt: skip
    assert unpublished["type"] == "urn:assay:problem:version-not-published"
    assert [e["field"] for e in no_version["errors"]] == ["version"]


def late(name: str, days: int, **changes: Any) -> VmRecord:
    record = vm(VM_ID.replace("web-1", name))
    return replace(record, due_at=NOON - days * DAY, **changes)


async def test_the_overdue_list_says_how_late_and_what_to_do(office: Office) -> None:
    await office.hold_vm(late("web-1", 3))
    await office.hold_vm(late("web-2", -1))
    await office.hold_vm(vm(VM_ID.replace("web-1", "web-3")))

    body = await office.body(list_overdue, asks("overdue"))

    (item,) = body["items"]
    assert (item["name"], item["days_overdue"], item["verdict"]) == ("web-1", 3, "current")
    assert item["what_to_do"] == "It runs the newest version."
    assert (item["due_at"], item["as_of"]) == ("2026-11-19T12:00:00.000Z", NOON_TEXT)
    assert item["url"].startswith("https://assay.example/api/v1/vms/")


async def test_the_overdue_list_can_look_ahead(office: Office) -> None:
    await office.hold_vm(late("web-2", -1))

    body = await office.body(list_overdue, asks("overdue", as_of="2026-11-24T12:00:00Z"))

    assert [i["days_overdue"] for i in body["items"]] == [1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"team": "Payments"}, 3),
        ({"team": "web"}, 0),
        ({"subscription": SUBSCRIPTION}, 3),
        ({"image": "ubuntu"}, 3),
        ({"image": "windows"}, 0),
        ({"kind": "cattle"}, 1),
        ({"machine": "scale-set"}, 0),
    ],
)
async def test_the_overdue_list_is_filtered(
    office: Office, query: dict[str, str], found: int
) -> None:
    await office.hold_vm(late("web-1", 1))
    await office.hold_vm(late("web-2", 1))
    await office.hold_vm(late("web-3", 1, kind=Kind.CATTLE))

    body = await office.body(list_overdue, asks("overdue", **query))

    assert len(body["items"]) == found


@pytest.mark.parametrize("page", ["reports/overdue", "vms"])
async def test_all_pages_of_what_is_overdue_are_of_one_time(office: Office, page: str) -> None:
    handler, query = (list_overdue, {}) if "overdue" in page else (list_vms, {"overdue": "true"})
    for number in range(3):
        await office.hold_vm(late(f"web-{number}", 1))
    first = await office.body(handler, request(page, query={**query, "limit": "2"}))
    (cursor,) = [p for p in first["next"].split("&") if p.startswith("cursor=")]

    assert "as_of=2026-11-22T12%3A00%3A00.000Z" in first["next"]
    following = {
        **query,
        "limit": "2",
        "as_of": NOON_TEXT,
        "cursor": cursor[7:].replace("%3D", "="),
    }
    second = await office.body(handler, request(page, query=following))

    names = [i["name"] for i in (*first["items"], *second["items"])]
    assert names == ["web-0", "web-1", "web-2"]


async def test_a_list_as_csv_names_its_next_page_in_a_header(office: Office) -> None:
    for number in range(3):
        await office.hold_vm(late(f"web-{number}", 1))
    asked = request("reports/overdue", query={"limit": "2"}, headers=CSV)

    response = await office.ask(list_overdue, asked)

    assert response.headers["Link"].startswith("<https://assay.example/api/v1/reports/overdue?")
    assert response.headers["Link"].endswith('>; rel="next"')
    last = await office.ask(list_overdue, request("reports/overdue", headers=CSV))
    assert "Link" not in last.headers


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["web-1", "web-2"]),
        ({"kind": "cattle"}, ["web-2"]),
        ({"region": "North Europe"}, ["web-2"]),
        ({"policy": "noncompliant"}, ["web-1"]),
        ({"machine": "scale-set"}, ["web-3"]),
        ({"machine": "flexible-instance"}, ["web-2"]),
        ({"overdue": "true"}, ["web-2"]),
    ],
)
async def test_vms_are_listed_by_what_they_are(
    office: Office, query: dict[str, str], names: list[str]
) -> None:
    await office.hold_vm(vm())
    changes: dict[str, Any] = {
        "kind": Kind.CATTLE,
        "region": "northeurope",
        "policy": "compliant",
        "machine": Machine.FLEXIBLE,
    }
    await office.hold_vm(late("web-2", 1, **changes))
    await office.hold_vm(replace(vm(VM_ID.replace("web-1", "web-3")), machine=Machine.SCALE_SET))

    body = await office.body(list_vms, request("vms", query=query))

    assert [v["name"] for v in body["items"]] == names


async def test_vms_come_as_csv_too(office: Office) -> None:
    await office.hold_vm(replace(vm(), team="=cmd"))

    (found,) = await rows_of(office, list_vms, request("vms"))

    assert (found["name"], found["team"], found["deleted_at"]) == ("web-1", "'=cmd", "")
    assert (found["as_of"], found["behind"]) == (NOON_TEXT, "0")


@pytest.mark.parametrize(
    ("handler", "asked"),
    [
        (get_summary, asks("summary")),
        (get_trend, asks("trend")),
        (get_adoption, adoption()),
        (list_overdue, asks("overdue")),
        (list_vms, request("vms")),
    ],
)
async def test_every_report_respects_accept_and_format(
    office: Office, handler: Handler, asked: ApiRequest
) -> None:
    await hold_published(office, 2)
    await take(office, 1, "pay")

    for accept, status, media_type in (
        ("application/json", 200, "application/json"),
        ("text/csv, application/json;q=0.5", 200, "text/csv"),
        ("application/xml", 406, "application/problem+json"),
    ):
        response = await office.ask(handler, replace(asked, headers={"accept": accept}))
        assert (response.status, response.media_type) == (status, media_type)
        assert response.headers["Vary"] == "Accept"
    for name, status, media_type in (
        ("json", 200, "application/json"),
        ("csv", 200, "text/csv"),
        ("xml", 400, "application/problem+json"),
    ):
        named = replace(asked, query={**asked.query, "format": name}, headers=OTHER)
        response = await office.ask(handler, named)
        assert (response.status, response.media_type) == (status, media_type)


def test_the_scope_of_the_whole_fleet_is_no_team() -> None:
    whole = finish({}, at=NOON, as_of=NOON)[-1]

    assert isinstance(whole, Snapshot)
    assert whole.team == ALL
