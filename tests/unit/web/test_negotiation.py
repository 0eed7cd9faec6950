"""What `format` and `Accept` ask for, and what is answered."""

import pytest

from shared.web.negotiation import negotiate
from shared.web.problems import ProblemError
from tests.unit.web.samples import request

JSON, CSV = "application/json", "text/csv"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV", CSV),
        ("text/*", CSV),
        ("application/*", JSON),
        ("text/csv;charset=utf-8", CSV),
        ("text/csv; header=present", CSV),
        ("application/json;q=0.9, text/csv", CSV),
        ("application/json, text/csv;q=0.9", JSON),
        ("application/json;q=0.2, text/csv;q=0.3, text/html", CSV),
        ("application/json;q=0.5, text/csv;q=0.5", JSON),
        ("*/*;q=0.1, text/csv;q=0.2", CSV),
        ("*/*, application/json;q=0", CSV),
        ("text/csv;q=0, */*;q=0.1", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
    ],
)
def test_the_form_accept_likes_best_is_chosen(accept: str | None, form: str) -> None:
    headers = {} if accept is None else {"accept": accept}

    assert negotiate(request("vms", headers=headers), None) == form


@pytest.mark.parametrize(("named", "form"), [("csv", CSV), ("json", JSON)])
@pytest.mark.parametrize("accept", ["application/json", "text/csv", "text/html", "*/*;q=0"])
def test_a_form_named_in_the_query_is_given_whatever_accept_says(
    accept: str, named: str, form: str
) -> None:
    assert negotiate(request("vms", headers={"accept": accept}), named) == form


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml",
        "text/html",
        "application/xml, image/*",
        "application/json;q=0",
        "text/csv;q=0",
        "text/csv;q=x",
        "*/*;q=0",
        "image/*",
        "nonsense",
    ],
)
def test_what_cannot_be_had_is_refused_with_what_can(accept: str) -> None:
    with pytest.raises(ProblemError) as caught:
        negotiate(request("vms", headers={"accept": accept}), None)

    problem = caught.value.problem
    assert (problem.status, problem.kind) == (406, "not-acceptable")
    assert problem.more == {"offers": [JSON, CSV]}
    assert problem.headers == {"Vary": "Accept"}
    assert problem.detail == (
        "This answer can be had as application/json or text/csv, and Accept takes none of them; "
        "leave the header out, name one, or ask with format=json|csv."
    )
