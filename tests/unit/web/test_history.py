"""Asking what happened, what was true then, and for how long."""

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from shared.domain.history import Transition
from shared.domain.vm_record import Kind, Verdict, VmRecord
from shared.ports import VmEntry
from shared.web.api import get_vm
from shared.web.exchange import ApiResponse
from shared.web.handler import Handler
from shared.web.history import (
    get_image_history,
    get_team_history,
    get_vm_compliance,
    get_vm_history,
    get_vm_state,
)
from tests.unit.web.office import Office
from tests.unit.web.samples import (
    BASE,
    HOUR_AGO,
    HOUR_AGO_TEXT,
    IMAGE_ID,
    NOON_TEXT,
    VM_ID,
    VM_KEY,
    request,
    version,
    vm,
)


def minute(number: int) -> datetime:
    """Return a time after the VM was first seen."""
    return HOUR_AGO + timedelta(minutes=number)


def text(number: int) -> str:
    return f"2026-11-22T11:{number:02d}:00.000Z"


async def happen(office: Office, record: VmRecord, *lines: tuple[int, str, str, str]) -> None:
    """Bring a VM to *record* by lines of (minute, what, old, new)."""
    old = await office.vms.get(record.key)
    count = old.value.record.transitions if old.value.record else 0
    told = [
        Transition(what=what, old=before, new=after, at=minute(at), because=f"{what} event")
        for at, what, before, after in lines
    ]
    new = VmEntry(key=record.key, record=replace(record, transitions=count + len(told)))
    await office.vms.save(old, new, told)


async def an_office() -> Office:
    """A VM that was out of policy for ten minutes and moved to another team."""
    office = Office()
    await happen(
        office,
        vm(team="shop"),
        (0, "first-seen", "", f"{IMAGE_ID} 1.20261122.1"),
        (0, "verdict", "", "current"),
    )
    await happen(office, vm(team="shop"), (10, "policy", "", "noncompliant"))
    await happen(office, replace(vm(team="shop"), policy="compliant"), (20, "policy", "noncompliant", "compliant"))  # fmt: skip  # noqa: E501
    await happen(office, replace(vm(team="payments"), policy="compliant"), (30, "team", "shop", "payments"))  # fmt: skip  # noqa: E501
    return office


async def of_vm(office: Office, handler: Handler, *, status: int = 200, **query: str) -> Any:
    named = {"since": "from", "until": "to"}
    asked = request("history/vms/x", query={named.get(n, n): v for n, v in query.items()}, key=VM_KEY)  # fmt: skip  # noqa: E501
    return await office.body(handler, asked, status=status)


def shown(body: Any) -> list[tuple[str, str, str]]:
    return [(i["what"], i["from"], i["to"]) for i in body["items"]]


async def test_the_lines_of_a_vm_come_newest_first() -> None:
    body = await of_vm(await an_office(), get_vm_history)
    assert shown(body)[:2] == [
        ("team", "shop", "payments"),
        ("policy", "noncompliant", "compliant"),
    ]
    assert [i["number"] for i in body["items"]] == [5, 4, 3, 2, 1]
    assert body["items"][0] == {
        "at": text(30),
        "what": "team",
        "from": "shop",
        "to": "payments",
        "because": "team event",
        "key": VM_KEY,
        "number": 5,
        "resource_id": VM_ID,
        "team": "payments",
        "definition": "ubuntu",
        "version": "1.20261122.1",
        "url": f"{BASE}/vms/{VM_KEY}",
    }
    assert (body["next"], body["as_of"]) == (None, NOON_TEXT)


async def test_the_lines_of_a_vm_can_be_narrowed_to_a_fact_and_a_time() -> None:
    office = await an_office()
    assert shown(await of_vm(office, get_vm_history, what="policy")) == [
        ("policy", "noncompliant", "compliant"),
        ("policy", "", "noncompliant"),
    ]
    narrow = await of_vm(office, get_vm_history, since=text(10), until=text(20))
    assert shown(narrow) == [("policy", "", "noncompliant")]


async def test_the_lines_of_a_vm_come_page_by_page() -> None:
    office, query, numbers = await an_office(), {"limit": "2"}, []
    while True:
        asked = request(f"history/vms/{VM_KEY}", query=query, key=VM_KEY)
        body = await office.body(get_vm_history, asked)
        numbers.append([i["number"] for i in body["items"]])
        if body["next"] is None:
            break
        query = dict(parse_qsl(urlsplit(body["next"]).query))
    assert numbers == [[5, 4], [3, 2], [1]]


@pytest.mark.parametrize("key", [VM_KEY, VM_KEY.upper(), VM_ID, VM_ID[1:], quote(VM_ID, safe="")])
@pytest.mark.parametrize("handler", [get_vm_history, get_vm_compliance])
async def test_a_vm_is_named_by_its_key_or_its_resource_id(handler: Handler, key: str) -> None:
    asked = request("history/vms/x", key=key)
    assert (await (await an_office()).ask(handler, asked)).status == 200


@pytest.mark.parametrize("handler", [get_vm_history, get_vm_state, get_vm_compliance])
async def test_the_past_of_a_vm_nobody_knows_is_unknown(handler: Handler) -> None:
    query = {"at": HOUR_AGO_TEXT} if handler is get_vm_state else {}
    body = await Office().body(handler, request("x", query=query, key=VM_KEY), status=404)
    assert body["type"] == "urn:assay:problem:unknown-vm"


async def test_what_was_true_at_a_moment() -> None:
    body = await of_vm(await an_office(), get_vm_state, at="2026-11-22T12:15:00.5+01:00")
    assert body == {
        "key": VM_KEY,
        "resource_id": VM_ID,
        "first_seen_at": HOUR_AGO_TEXT,
        "known_from": HOUR_AGO_TEXT,
        "at": "2026-11-22T11:15:00.500Z",
        "presence": "present",
        "deleted_at": None,
        "facts": {
            "image": fact(f"{IMAGE_ID} 1.20261122.1", 0, None, "first-seen event"),
            "region": fact("westeurope", 0, None, "first-seen event"),
            "team": fact("shop", 0, 30, "first-seen event"),
            "kind": fact("pet", 0, None, "first-seen event"),
            "verdict": fact("current", 0, None, "verdict event"),
            "policy": fact("noncompliant", 10, 20, "policy event"),
            "tattoo": fact(None, 0, None, "first-seen event"),
        },
        "as_of": NOON_TEXT,
    }


def fact(value: str | None, since: int, until: int | None, because: str) -> dict[str, object]:
    return {
        "value": value,
        "since": text(since),
        "until": None if until is None else text(until),
        "because": because,
    }


async def test_before_it_was_seen_there_was_no_such_vm() -> None:
    body = await of_vm(await an_office(), get_vm_state, at="2026-11-22T10:59:59Z")
    assert body["presence"] == "not-seen"
    assert set(body["facts"].values()) == {None}


async def test_a_deleted_vm_says_since_when() -> None:
    office = await an_office()
    gone = replace(vm(), policy="compliant", deleted_at=minute(40))
    await happen(office, gone, (40, "deleted", "", minute(40).isoformat()))
    body = await of_vm(office, get_vm_state, at=text(50))
    assert (body["presence"], body["deleted_at"]) == ("deleted", text(40))
    assert body["facts"]["team"]["value"] == "payments"


async def test_of_a_trimmed_history_what_is_gone_is_null() -> None:
    office = await an_office()
    old = await office.vms.get(VM_KEY)
    assert old.value.record is not None
    cut = replace(old.value.record, history_from=minute(25))
    await office.vms.save(old, replace(old.value, record=cut))
    await office.vms.trim(VM_KEY, before=minute(25))
    body = await of_vm(office, get_vm_state, at=text(15))
    assert (body["known_from"], body["facts"]["policy"]) == (text(20), None)
    assert body["facts"]["verdict"]["value"] == "current"
    stood = await of_vm(office, get_vm_compliance)
    assert (stood["policy"]["ever_out"], stood["verdict"]["ever_out"]) == (None, False)
    assert stood["policy"]["unknown_seconds"] == 1200


async def test_was_it_ever_out_of_policy_from_when_to_when_for_how_long() -> None:
    office = await an_office()
    retired = replace(vm(verdict=Verdict.RETIRED), policy="compliant")
    await happen(office, retired, (45, "verdict", "current", "retired"))
    body = await of_vm(office, get_vm_compliance)
    assert body == {
        "key": VM_KEY,
        "resource_id": VM_ID,
        "first_seen_at": HOUR_AGO_TEXT,
        "known_from": HOUR_AGO_TEXT,
        "from": HOUR_AGO_TEXT,
        "to": NOON_TEXT,
        "policy": {
            "ever_out": True,
            "out_seconds": 600.0,
            "in_seconds": 2400.0,
            "silent_seconds": 600.0,
            "absent_seconds": 0.0,
            "unknown_seconds": 0.0,
            "out": [
                {
                    "value": "noncompliant",
                    "from": text(10),
                    "to": text(20),
                    "seconds": 600.0,
                    "because": "policy event",
                }
            ],
        },
        "verdict": {
            "ever_out": True,
            "out_seconds": 900.0,
            "in_seconds": 2700.0,
            "silent_seconds": 0.0,
            "absent_seconds": 0.0,
            "unknown_seconds": 0.0,
            "out": [
                {
                    "value": "retired",
                    "from": text(45),
                    "to": None,
                    "seconds": 900.0,
                    "because": "verdict event",
                }
            ],
        },
        "as_of": NOON_TEXT,
    }


async def test_only_the_time_asked_for_counts() -> None:
    body = await of_vm(await an_office(), get_vm_compliance, since=text(15), until=text(50))
    assert body["policy"]["out_seconds"] == 300
    assert body["policy"]["out"][0]["from"] == text(10)
    body = await of_vm(await an_office(), get_vm_compliance, since=text(30), until=text(50))
    assert (body["policy"]["ever_out"], body["policy"]["out"]) == (False, [])


async def test_until_before_it_was_seen_is_no_time_at_all() -> None:
    body = await of_vm(await an_office(), get_vm_compliance, until="2026-11-22T09:00:00Z")
    assert body["from"] == body["to"] == "2026-11-22T09:00:00.000Z"
    assert (body["policy"]["ever_out"], body["policy"]["absent_seconds"]) == (False, 0)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("2026-11-22T11:00:00", "it has no time zone"),
        ("2026-11-22", "RFC 3339"),
        ("1763800000", "RFC 3339"),
        ("yesterday", "RFC 3339"),
        ("2026-11-22T11:00:00 01:00", "RFC 3339"),
        ("2026-13-22T11:00:00Z", "there is no such day or time"),
        ("2026-02-30T11:00:00Z", "there is no such day or time"),
        ("0001-01-01T00:00:00+23:59", "there is no such day or time"),
        ("2026-11-22T12:00:01Z", "it lies in the future: it is 2026-11-22T12:00:00.000Z now"),
    ],
)
@pytest.mark.parametrize("name", ["at", "since", "until"])
async def test_a_moment_that_is_none_is_refused(name: str, said: str, problem: str) -> None:
    handler = get_vm_state if name == "at" else get_vm_compliance
    body = await of_vm(await an_office(), handler, status=400, **{name: said})
    (fault,) = body["errors"]
    assert fault["field"] == {"since": "from", "until": "to"}.get(name, name)
    assert problem in fault["problem"]


@pytest.mark.parametrize("handler", [get_vm_compliance, get_vm_history])
async def test_a_time_that_ends_before_it_begins_is_refused(handler: Handler) -> None:
    query = {"since": text(20), "until": text(10)}
    body = await of_vm(await an_office(), handler, status=400, **query)
    assert body["errors"] == [{"field": "from", "problem": "it comes after to"}]


async def test_a_moment_has_to_be_given() -> None:
    body = await of_vm(await an_office(), get_vm_state, status=400)
    assert [e["field"] for e in body["errors"]] == ["at"]


@pytest.mark.parametrize("said", ["2026-11-22t11:15:00z", "2026-11-22 11:15:00.123456789Z"])
async def test_a_moment_may_be_written_in_any_way_rfc_3339_allows(said: str) -> None:
    body = await of_vm(await an_office(), get_vm_state, at=said)
    assert body["at"].startswith("2026-11-22T11:15:00.")


async def of_team(office: Office, team: str, *, status: int = 200, **query: str) -> Any:
    asked = request(f"history/teams/{team}", query=query, team=team)
    return await office.body(get_team_history, asked, status=status)


async def test_a_vm_that_moved_is_in_the_histories_of_both_teams() -> None:
    office = await an_office()
    assert [i["number"] for i in (await of_team(office, "Shop"))["items"]] == [5, 4, 3, 2, 1]
    assert shown(await of_team(office, "payments")) == [("team", "shop", "payments")]
    assert (await of_team(office, "nobody"))["items"] == []


async def test_a_team_follows_next_to_the_end() -> None:
    office, query, numbers = await an_office(), {"limit": "2", "from": text(5)}, []
    while True:
        asked = request("history/teams/shop", query=query, team="shop")
        body = await office.body(get_team_history, asked)
        numbers.append([i["number"] for i in body["items"]])
        if body["next"] is None:
            break
        assert body["next"].startswith(f"{BASE}/history/teams/shop?")
        query = dict(parse_qsl(urlsplit(body["next"]).query))
    assert numbers == [[5, 4], [3]]


@pytest.mark.parametrize("handler", [get_vm_history, get_team_history, get_image_history])
async def test_a_cursor_that_is_not_ours_is_refused(handler: Handler) -> None:
    asked = request("x", query={"cursor": "Zm9v"}, key=VM_KEY, team="shop", image="ubuntu")
    body = await (await an_office()).body(handler, asked, status=400)
    assert [e["field"] for e in body["errors"]] == ["cursor"]


@pytest.mark.parametrize("route", ["r&d%2Fops", "r&d%2fops", "r&d/ops", "/r&d/ops"])
async def test_a_team_may_have_slashes(route: str) -> None:
    office = Office()
    await happen(office, vm(team="r&d/ops"), (0, "verdict", "", "current"))
    assert len((await of_team(office, route))["items"]) == 1


async def test_a_team_has_to_be_named() -> None:
    body = await of_team(Office(), "", status=400)
    assert [e["field"] for e in body["errors"]] == ["team"]


async def of_image(office: Office, image: str, *, status: int = 200, **query: str) -> Any:
    asked = request(f"history/images/{image}", query=query, image=image)
    return await office.body(get_image_history, asked, status=status)


async def images_office() -> Office:
    """A VM that went from one version to the next, and one that stayed."""
    office = Office()
    image_id = office.gallery.image_id(office.definitions["ubuntu"])
    old = replace(vm().image, image_id=image_id, version="1.0.1")
    new = replace(old, version="1.0.2")
    await happen(office, replace(vm(), image=old), (0, "verdict", "", "current"))
    await happen(office, replace(vm(), image=new), (1, "image", f"{image_id} 1.0.1", f"{image_id} 1.0.2"))  # fmt: skip  # noqa: E501
    other = VM_ID.replace("web-1", "web-2")
    await happen(office, replace(vm(other), image=old), (2, "verdict", "", "aged"))
    return office


async def test_an_image_is_named_by_its_definition_or_its_id() -> None:
    office = await images_office()
    image_id = office.gallery.image_id(office.definitions["ubuntu"])
    for named in ("ubuntu", image_id, image_id[1:].upper(), quote(image_id, safe="")):
        assert [i["what"] for i in (await of_image(office, named))["items"]] == [
            "verdict",
            "image",
            "verdict",
        ]
    assert (await of_image(office, "canonical:ubuntu-24_04-lts:server"))["items"] == []


async def test_lines_of_one_version_are_of_vms_that_ran_it_or_went_to_or_from_it() -> None:
    office = await images_office()
    old, new = await of_image(office, "ubuntu", version="1.0.1"), await of_image(office, "ubuntu", version="1.0.2")  # fmt: skip  # noqa: E501
    assert [i["at"] for i in old["items"]] == [text(2), text(1), text(0)]
    assert [i["at"] for i in new["items"]] == [text(1)]
    assert (await of_image(office, "ubuntu", version="1.0"))["items"] == []


async def test_the_image_of_a_removed_definition_is_known_by_its_versions() -> None:
    office = Office(definitions={})
    await of_image(office, "ubuntu", status=404)
    await office.hold_version(version())
    await happen(office, vm(), (0, "verdict", "", "current"))
    assert len((await of_image(office, "ubuntu"))["items"]) == 1


async def in_csv(office: Office, accept: str = "text/csv", **query: str) -> ApiResponse:
    asked = request(
        "history/teams/shop", query=query, headers={"accept": accept} if accept else {}, team="shop"
    )
    return await office.ask(get_team_history, asked)


async def test_a_history_comes_as_csv_too() -> None:
    response = await in_csv(await an_office(), limit="2")
    assert (response.status, response.media_type) == (200, "text/csv")
    lines = (response.text or "").split("\r\n")
    assert lines[0] == (
        '"at","what","from","to","because","key","number","resource_id","team","definition","version"'
    )
    assert lines[1] == (
        f'"{text(30)}","team","shop","payments","team event","{VM_KEY}",5,"{VM_ID}",'
        '"payments","ubuntu","1.20261122.1"'
    )
    assert len(lines) == 4
    assert lines[-1] == ""
    assert response.headers["Vary"] == "Accept"
    link = response.headers["Link"]
    assert link.startswith(f"<{BASE}/history/teams/shop?limit=2&cursor=")
    assert link.endswith('>; rel="next"')


async def test_a_form_named_in_the_address_goes_with_it_to_the_next_page() -> None:
    response = await in_csv(await an_office(), "text/html", limit="2", format="csv")
    assert response.media_type == "text/csv"
    assert "&format=csv&" in response.headers["Link"]


async def test_a_form_there_is_none_of_is_refused() -> None:
    assert (await in_csv(await an_office(), "text/html")).status == 406
    assert (await in_csv(await an_office(), format="xml")).status == 400


async def test_the_last_page_of_csv_has_no_next() -> None:
    assert "Link" not in (await in_csv(await an_office())).headers


async def test_no_value_is_a_formula_in_a_spreadsheet() -> None:
    office = Office()
    await happen(office, vm(team="shop"), (0, "team", "", "=cmd()"))
    response = await in_csv(office)
    (row,) = csv.DictReader(io.StringIO(response.text or "", newline=""))
    assert (row["from"], row["to"]) == ("", "'=cmd()")


async def test_quotes_commas_and_line_ends_survive_csv() -> None:
    office, odd = Office(), 'a "b", c\r\nd'
    await happen(office, vm(team="shop"), (0, "team", "", odd))
    response = await in_csv(office)
    (row,) = csv.DictReader(io.StringIO(response.text or "", newline=""))
    assert row["to"] == odd


async def test_a_vms_own_page_shows_its_newest_lines_and_where_the_others_are() -> None:
    office = Office()
    for number in range(60):
        kinds = [str(k) for k in Kind]
        await happen(office, vm(), (0, "kind", kinds[number % 2], f"{number}"))
    body = await office.body(get_vm, request("vms/x", key=VM_KEY))
    assert [line["to"] for line in body["history"]] == [str(n) for n in range(10, 60)]
    assert body["history_url"] == f"{BASE}/history/vms/{VM_KEY}"
