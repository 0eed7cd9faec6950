"""Evidence on image versions, as the API answers it."""

import json
from dataclasses import replace

import pytest

from shared.domain.evidence import (
    BUILD_STATEMENT,
    PROVENANCE,
    SBOM,
    SOFTWARE,
    VersionEvidence,
    canonical,
    tattoo_digest,
)
from shared.domain.software import read_listing
from shared.domain.tattoo import render
from shared.web.evidence import (
    MAX_TATTOO,
    get_diff,
    get_provenance,
    get_sbom,
    get_signing_key,
    get_software,
    prove_tattoo,
)
from shared.web.exchange import ApiRequest
from tests.fakes.guest_software import LISTING
from tests.unit.web.office import Office
from tests.unit.web.samples import BASE, version

OLD, NEW = "1.20261101.1", "1.20261122.1"
TATTOO = {"definition": "ubuntu", "version": NEW, "statement-digest": "abc"}


def request(
    *, number: str = NEW, body: bytes = b"", accept: str = "", query: dict[str, str] | None = None
) -> ApiRequest:
    return ApiRequest(
        method="GET", url=f"{BASE}/x", correlation_id="c", query=query or {}, body=body,
        route={"name": "ubuntu", "version": number}, headers={"accept": accept},
    )  # fmt: skip


@pytest.fixture
async def office() -> Office:
    office = Office()
    held = VersionEvidence(software="d1", tattoo=tattoo_digest(render(TATTOO)), signed_by="key/1")
    tattoo = {**TATTOO, "published-at": "2026-11-22T12:00:00Z"}
    await office.hold_version(replace(version(NEW), tattoo=tattoo, evidence=held))
    await office.hold_version(version(OLD))
    for number, listing in ((OLD, LISTING), (NEW, LISTING.replace("1.18", "1.19"))):
        content = canonical(read_listing(listing).document())
        await office.evidence.put("ubuntu", number, SOFTWARE, content)
    return office


async def test_software_is_listed(office: Office) -> None:
    body = await office.body(get_software, request())

    assert body["digest"] == "d1"
    assert body["system"]["kernel"] == "6.8.0-1017-azure"
    assert body["packages"][0] == {
        "kind": "deb", "name": "bash", "version": "5.1-6ubuntu1.1", "architecture": "amd64",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("handler", "name", "query", "media_type"),
    [
        (get_sbom, SBOM, {}, "application/vnd.cyclonedx+json"),
        (get_provenance, PROVENANCE, {}, "application/vnd.dsse.envelope.v1+json"),
        (
            get_provenance, BUILD_STATEMENT, {"statement": "build"},
            "application/vnd.dsse.envelope.v1+json",
        ),
    ],
)  # fmt: skip
async def test_documents_are_answered_as_they_were_kept(
    office: Office, handler: object, name: str, query: dict[str, str], media_type: str
) -> None:
    await office.evidence.put("ubuntu", NEW, name, b'{ "as":  "kept" }')

    response = await office.ask(handler, request(query=query))  # type: ignore[arg-type]

    assert (response.text, response.media_type) == ('{ "as":  "kept" }', media_type)


async def test_a_version_without_evidence_says_why(office: Office) -> None:
    problem = await office.body(get_provenance, request(number=OLD), status=404)

    assert problem["type"] == "urn:assay:problem:unknown-evidence"
    assert "is older than evidence, or did not get so far" in problem["detail"]


async def test_an_unknown_version_is_unknown_here_too(office: Office) -> None:
    problem = await office.body(get_software, request(number="9.9.9"), status=404)

    assert problem["versions_url"] == "https://assay.example/api/v1/images/ubuntu/versions"


async def test_two_versions_are_compared_as_json(office: Office) -> None:
    body = await office.body(get_diff, request(query={"from": OLD, "to": NEW}))

    assert (body["from"], body["to"]) == (OLD, NEW)
    assert body["summary"] == "1 changed, 0 added, 0 removed"
    assert body["changed"][0]["name"] == "openssl"


@pytest.mark.parametrize(
    ("accept", "query", "is_text"),
    [
        ("text/plain", {}, True),
        ("application/json, text/plain, */*", {}, False),
        ("", {"format": "text"}, True),
        ("text/plain", {"format": "json"}, False),
        ("application/json", {}, False),
    ],
)
async def test_people_may_ask_for_text(
    office: Office, accept: str, query: dict[str, str], is_text: bool
) -> None:
    asked = request(accept=accept, query={"from": OLD, "to": NEW, **query})

    response = await office.ask(get_diff, asked)

    assert (response.media_type == "text/plain") is is_text
    assert response.headers["Vary"] == "Accept"
    if is_text:
        assert response.text is not None
        assert response.text.startswith(f"ubuntu {OLD} -> {NEW}: 1 changed, 0 added, 0 removed\n")


async def test_a_comparison_needs_two_versions(office: Office) -> None:
    problem = await office.body(get_diff, request(query={"to": NEW}), status=400)

    assert "from" in json.dumps(problem)


async def test_the_public_key_is_given_to_verifiers(office: Office) -> None:
    response = await office.ask(get_signing_key, request())

    assert response.text is not None
    assert response.text.startswith("-----BEGIN PUBLIC KEY-----\n")


async def test_without_a_key_there_is_none_to_give(office: Office) -> None:
    office.signer.off = True

    problem = await office.body(get_signing_key, request(), status=404)

    assert problem["detail"] == "Evidence is not signed here: ASSAY_SIGNING_KEY is not set."


async def test_a_genuine_tattoo_is_proved(office: Office) -> None:
    body = await office.body(prove_tattoo, request(body=render(TATTOO).encode()))

    assert (body["proved"], body["faults"], body["signed_by"]) == (True, [], "key/1")


async def test_a_tattoo_of_nothing_we_made_is_unknown(office: Office) -> None:
    forged = render({**TATTOO, "version": "7.7.7"}).encode()

    problem = await office.body(prove_tattoo, request(body=forged), status=404)

    assert problem["detail"].endswith("which this tattoo names: it was not made here.")


@pytest.mark.parametrize("body", [b"", b"hello", b"\xff\xfe", b"a=b\n" * MAX_TATTOO])
async def test_what_is_no_tattoo_is_refused(office: Office, body: bytes) -> None:
    problem = await office.body(prove_tattoo, request(body=body), status=400)

    assert problem["status"] == 400


async def test_a_version_older_than_evidence_cannot_be_proved(office: Office) -> None:
    body = await office.body(
        prove_tattoo, request(body=render({"definition": "ubuntu", "version": OLD}).encode())
    )

    assert body["proved"] is False
    assert "the register holds no digest of this version's tattoo" in body["faults"][-1]
