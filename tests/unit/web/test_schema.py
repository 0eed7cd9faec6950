"""A request that cannot be read is refused, every faulty field by name."""

from typing import Any

import pytest

from shared.web.fleet_schema import VmsQuery
from shared.web.problems import ProblemError
from shared.web.schema import (
    PageQuery,
    read_idempotency_key,
    read_publish_body,
    read_query,
)
from tests.unit.web.samples import IMAGE_ID, SUBSCRIPTION, request


def _faults(error: ProblemError) -> list[tuple[str, str]]:
    assert error.problem.status == 400
    return [(e["field"], e["problem"]) for e in error.problem.more["errors"]]


def _refused_query(model: Any, **query: str) -> list[tuple[str, str]]:
    with pytest.raises(ProblemError) as caught:
        read_query(request("vms", query=query), model)
    return _faults(caught.value)


def _refused_body(body: bytes) -> list[tuple[str, str]]:
    with pytest.raises(ProblemError) as caught:
        read_publish_body(request("images/ubuntu/publish", body=body))
    return _faults(caught.value)


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b'{"force": false}'])
def test_a_publish_request_needs_no_body(body: bytes) -> None:
    asked = read_publish_body(request("images/ubuntu/publish", body=body))
    assert (asked.force, asked.source_version) == (False, None)


def test_a_body_may_force_and_name_a_version() -> None:
    body = b'{"force": true, "source_version": "22.04.1"}'
    asked = read_publish_body(request("images/ubuntu/publish", body=body))
    assert (asked.force, asked.source_version) == (True, "22.04.1")


@pytest.mark.parametrize("version", ["latest", "", "1..2", "22.04-lts", "1.2.x"])
def test_a_source_version_is_exact_and_made_of_numbers(version: str) -> None:
    [(field, problem)] = _refused_body(f'{{"source_version": "{version}"}}'.encode())
    assert field == "source_version"
    assert problem == ("it must be an exact version made of numbers, for example 22.04.202401161")


def test_every_fault_of_a_body_is_named_at_once() -> None:
    faults = dict(_refused_body(b'{"force": "yes", "sourceVersion": "1.2.3"}'))
    assert faults == {
        "force": "Input should be a valid boolean",
        "sourceVersion": "there is no such field here",
    }


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[]", b"null", b"3"])
def test_a_body_that_is_no_json_object_is_refused_as_a_whole(body: bytes) -> None:
    [(field, problem)] = _refused_body(body)
    assert field == "body"
    assert problem in ("it must be JSON", "it must be a JSON object")


def test_a_page_holds_a_hundred_items_unless_asked_otherwise() -> None:
    assert read_query(request("builds"), PageQuery).limit == 100
    assert read_query(request("builds", query={"limit": "500"}), PageQuery).limit == 500


@pytest.mark.parametrize("limit", ["0", "501", "-1", "many", "1.5"])
def test_a_limit_is_a_number_from_1_to_500(limit: str) -> None:
    assert [field for field, _ in _refused_query(PageQuery, limit=limit)] == ["limit"]


def test_a_misspelt_parameter_is_refused() -> None:
    assert _refused_query(VmsQuery, tema="payments") == [("tema", "there is no such field here")]


def test_a_vm_filter_takes_every_parameter() -> None:
    query = {
        "team": "payments",
        "image": IMAGE_ID.upper() + "/",
        "version": "1.20261122.1",
        "verdict": "aged",
        "subscription": SUBSCRIPTION.upper(),
        "deleted": "true",
    }
    asked = read_query(request("vms", query=query), VmsQuery)
    assert asked.image == IMAGE_ID
    assert str(asked.subscription) == SUBSCRIPTION
    assert (asked.verdict, asked.deleted) == ("aged", True)


def test_an_empty_parameter_counts_as_not_given() -> None:
    asked = read_query(request("vms", query={"verdict": "", "limit": ""}), VmsQuery)
    assert (asked.verdict, asked.limit) == (None, 100)


def test_a_version_alone_names_no_image() -> None:
    [(field, problem)] = _refused_query(VmsQuery, version="1.20261122.1")
    assert field == "query"
    assert problem == "version needs image too: numbers alone do not name an image"


def test_an_unknown_verdict_is_answered_with_those_there_are() -> None:
    [(field, problem)] = _refused_query(VmsQuery, verdict="fine")
    assert field == "verdict"
    assert "'current', 'aged', 'retired', 'revoked', 'unapproved' or 'unknown'" in problem


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "clé", "a\tb"])
def test_an_unusable_idempotency_key_is_refused(key: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read_idempotency_key(request("images", headers={"idempotency-key": key}))
    assert [field for field, _ in _faults(caught.value)] == ["Idempotency-Key"]


def test_an_idempotency_key_is_the_callers_own() -> None:
    assert read_idempotency_key(request("images")) is None
    sent = request("images", headers={"idempotency-key": " nightly-1 "})
    assert read_idempotency_key(sent) == "nightly-1"
