"""Exports over the API in memory."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.vm_record import Kind, Verdict
from shared.messages import WriteExport
from shared.ports import MACHINES, Export, ExportForm, ExportWhat, Stored, VmFilter
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.exports import create_export, get_export, get_export_file
from tests.unit.web.office import Office
from tests.unit.web.samples import NOON, NOON_TEXT, SUBSCRIPTION, request

DAY = timedelta(days=1)


@pytest.fixture
def office() -> Office:
    return Office()


def asks(body: dict[str, Any], **headers: str) -> ApiRequest:
    return request("exports", method="POST", body=json.dumps(body).encode(), headers=headers)


async def ask(office: Office, body: dict[str, Any], **headers: str) -> ApiResponse:
    return await office.ask(create_export, asks(body, **headers))


async def held(office: Office, response: ApiResponse) -> Export:
    assert response.body
    stored = await office.exports.get(response.body["id"])
    assert stored
    return stored.value


async def test_an_export_is_accepted_and_begun(office: Office) -> None:
    response = await ask(office, {"what": "vms", "team": "pay"}, accept="text/csv")

    assert response.status == 202
    assert response.body
    number = response.body["id"]
    assert response.headers["Location"] == f"https://assay.example/api/v1/exports/{number}"
    assert (response.body["state"], response.body["media_type"]) == ("waiting", "text/csv")
    assert response.body["expires_at"] == "2026-11-29T12:00:00.000Z"
    assert response.body["file_url"] is None
    assert office.outbox.commands == [WriteExport(export_id=number)]
    assert (await held(office, response)).wanted == VmFilter(team="pay")


async def test_every_filter_goes_into_the_export(office: Office) -> None:
    body = {
        "what": "overdue", "team": "pay", "image": "ubuntu", "version": "1.1.1",
        "verdict": "revoked", "subscription": SUBSCRIPTION, "kind": "pet",
        "region": "West Europe", "policy": "compliant", "machine": "uniform-instance",
    }  # fmt: skip

    export = await held(office, await ask(office, body))

    assert export.wanted == VmFilter(
        team="pay", image="ubuntu", version="1.1.1", verdict=Verdict.REVOKED,
        subscription_id=SUBSCRIPTION, kind=Kind.PET, region="westeurope", policy="compliant",
        machines=("uniform-instance",), due_before=NOON,
    )  # fmt: skip
    assert export.what is ExportWhat.OVERDUE
    plain = await held(office, await ask(office, {"what": "vms"}))
    assert (plain.wanted.machines, plain.wanted.due_before) == (MACHINES, None)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", ExportForm.JSON),
        ("*/*", ExportForm.JSON),
        ("application/x-ndjson", ExportForm.JSON_LINES),
        ("text/csv;q=0.9, application/x-ndjson;q=0.8", ExportForm.CSV),
    ],
)
async def test_the_form_is_what_accept_asks_for(
    office: Office, accept: str, form: ExportForm
) -> None:
    response = await ask(office, {"what": "vms"}, accept=accept)

    assert (await held(office, response)).form is form
    assert response.headers["Vary"] == "Accept"


@pytest.mark.parametrize(
    ("named", "form"),
    [("json", ExportForm.JSON), ("csv", ExportForm.CSV), ("jsonl", ExportForm.JSON_LINES)],
)
async def test_the_form_may_be_named_in_the_address(
    office: Office, named: str, form: ExportForm
) -> None:
    asked = replace(asks({"what": "vms"}, accept="text/csv"), query={"format": named})

    assert (await held(office, await office.ask(create_export, asked))).form is form


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "what"),
        ({"what": "everything"}, "what"),
        ({"what": "vms", "version": "1.1.1"}, "body"),
        ({"what": "vms", "verdict": "fine"}, "verdict"),
        ({"what": "vms", "tema": "x"}, "tema"),
        ({"what": "vms", "subscription": "x"}, "subscription"),
    ],
)
async def test_what_cannot_be_exported_is_refused_by_field(
    office: Office, body: dict[str, Any], field: str
) -> None:
    answer = await office.body(create_export, asks(body), status=400)

    assert [e["field"] for e in answer["errors"]] == [field]
    assert office.outbox.commands == []


async def test_a_form_we_do_not_write_is_refused(office: Office) -> None:
    answer = await office.body(create_export, asks({"what": "vms"}, accept="text/html"), status=406)

    assert answer["offers"] == ["application/json", "text/csv", "application/x-ndjson"]


async def test_under_one_key_it_is_one_export(office: Office) -> None:
    key = {"idempotency-key": "k1"}
    first = await ask(office, {"what": "vms"}, **key)
    again = await ask(office, {"what": "vms"}, **key)
    other = await ask(office, {"what": "overdue"}, **key)
    apart = await ask(office, {"what": "vms"})

    assert first.body == again.body
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.status == 422
    assert apart.body
    assert first.body
    assert apart.body["id"] != first.body["id"]


async def test_a_repeat_whose_answer_was_lost_finds_the_same_export(office: Office) -> None:
    key = {"idempotency-key": "k1"}
    first = await create_export(asks({"what": "vms"}, **key), office)
    again = await create_export(asks({"what": "vms"}, **key), office)

    assert first.body
    assert again.body
    assert first.body["id"] == again.body["id"]
    assert office.outbox.commands == [WriteExport(export_id=first.body["id"])] * 2


async def test_an_export_is_in_the_audit(office: Office) -> None:
    response = await ask(office, {"what": "vms", "reason": "yearly audit"})

    assert response.body
    (entry,) = (await office.audit.list("messages")).items
    assert (entry.what, entry.why, entry.outcome) == ("export", "yearly audit", "done")
    assert entry.subject == f"exports/{response.body['id']}"


async def hold(office: Office, **changes: Any) -> None:
    export = Export(
        id="e1",
        what=ExportWhat.VMS,
        form=ExportForm.CSV,
        wanted=VmFilter(),
        as_of=NOON,
        created_at=NOON,
        expires_at=NOON + DAY,
    )
    await office.exports.save(Stored(replace(export, **changes)))


def one(page: str = "exports/e1") -> ApiRequest:
    return request(page, id="e1")


async def test_an_export_shows_how_far_it_is(office: Office) -> None:
    await hold(office, pages=2, rows=2000, size=90_000)

    body = await office.body(get_export, one())

    assert (body["state"], body["rows"], body["bytes"]) == ("writing", 2000, 90_000)
    assert (body["finished_at"], body["file_url"], body["as_of"]) == (None, None, NOON_TEXT)


async def test_a_finished_export_sends_the_client_to_its_file(office: Office) -> None:
    await hold(office, pages=2, finished_at=NOON)

    body = await office.body(get_export, one())
    response = await office.ask(get_export_file, one("exports/e1/file"))

    assert body["file_url"] == "https://assay.example/api/v1/exports/e1/file"
    assert response.status == 302
    assert response.headers["Location"] == "https://storage.example/exports/e1.csv?sig=x"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("changes", "state"),
    [({}, "waiting"), ({"pages": 1}, "writing"), ({"problem": "no right"}, "stuck")],
)
async def test_a_file_that_is_not_finished_cannot_be_had(
    office: Office, changes: dict[str, Any], state: str
) -> None:
    await hold(office, **changes)

    body = await office.body(get_export_file, one(), status=409)

    assert body["type"] == "urn:assay:problem:export-not-finished"
    assert body["present"]["state"] == state
    assert changes.get("problem", "") in body["detail"]


@pytest.mark.parametrize("handler", [get_export, get_export_file])
async def test_an_unknown_or_expired_export_is_not_found(office: Office, handler: Any) -> None:
    unknown = await office.body(handler, one(), status=404)
    await hold(office, finished_at=NOON, expires_at=NOON)
    expired = await office.body(handler, one(), status=404)

    assert unknown["type"] == expired["type"] == "urn:assay:problem:unknown-export"
