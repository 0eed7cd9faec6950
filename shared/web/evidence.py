"""Evidence on image versions: software, bill of materials, provenance, differences, proofs."""

from collections.abc import Mapping
from enum import StrEnum

from shared.domain.evidence import BUILD_STATEMENT, PROVENANCE, SBOM, SOFTWARE
from shared.domain.image_version import ImageVersion
from shared.domain.proof import prove_tattoo as held_against
from shared.domain.software import SoftwareReport, read_document
from shared.domain.software_diff import as_text, compare
from shared.domain.tattoo import parse
from shared.web.api import links, version_asked
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.negotiation import JSON, TEXT, VARY, negotiate
from shared.web.problems import ProblemError, bad_request, unknown
from shared.web.schema import DiffQuery, NoQuery, ProvenanceQuery, read_query
from shared.web.views.values import instant

MAX_TATTOO = 16 * 1024
"""Bytes of a tattoo we read: ours are under 1 KB."""


class MediaType(StrEnum):
    """What the documents are, as registered or as their specifications say."""

    DSSE = "application/vnd.dsse.envelope.v1+json"
    CYCLONEDX = "application/vnd.cyclonedx+json"
    PEM = "application/x-pem-file"


async def get_software(request: ApiRequest, app: App) -> ApiResponse:
    """GET images/{name}/versions/{version}/software: what is installed in it."""
    read_query(request, NoQuery)
    version = await version_asked(request, app)
    report = await _report(version, app)
    body = {
        "definition": version.definition,
        "version": version.version,
        "digest": version.evidence.software,
        **report.document(),
        "as_of": instant(app.now()),
    }
    return ApiResponse(status=200, body=body)


async def get_sbom(request: ApiRequest, app: App) -> ApiResponse:
    """GET images/{name}/versions/{version}/sbom: the same as CycloneDX, byte for byte as kept."""
    read_query(request, NoQuery)
    version = await version_asked(request, app)
    content = await _document(version, SBOM, app)
    return ApiResponse(status=200, text=content.decode(), media_type=MediaType.CYCLONEDX)


async def get_provenance(request: ApiRequest, app: App) -> ApiResponse:
    """GET images/{name}/versions/{version}/provenance: the DSSE envelope, as kept."""
    asked = read_query(request, ProvenanceQuery)
    version = await version_asked(request, app)
    name = BUILD_STATEMENT if asked.statement == "build" else PROVENANCE
    content = await _document(version, name, app)
    return ApiResponse(status=200, text=content.decode(), media_type=MediaType.DSSE)


async def get_diff(request: ApiRequest, app: App) -> ApiResponse:
    """GET images/{name}/diff?from=&to=: what differs in software; as text where that is asked."""
    asked = read_query(request, DiffQuery)
    form = negotiate(request, asked.format, {"json": JSON, "text": TEXT})
    old = await version_asked(request, app, asked.old)
    new = await version_asked(request, app, asked.new)
    diff = compare(await _report(old, app), await _report(new, app))
    if form == TEXT:
        text = as_text(diff, old=f"{old.definition} {old.version}", new=new.version)
        return ApiResponse(status=200, text=text, media_type=TEXT, headers=VARY)
    body = {
        "definition": old.definition,
        "from": old.version,
        "to": new.version,
        **diff.document(),
        "as_of": instant(app.now()),
    }
    return ApiResponse(status=200, body=body, headers=VARY)


async def get_signing_key(request: ApiRequest, app: App) -> ApiResponse:
    """GET signing-key: the public key evidence is signed with, as PEM."""
    read_query(request, NoQuery)
    pem = await app.signer.public_key()
    if not pem:
        raise unknown("key", "Evidence is not signed here: ASSAY_SIGNING_KEY is not set.")
    return ApiResponse(status=200, text=pem, media_type=MediaType.PEM)


async def prove_tattoo(request: ApiRequest, app: App) -> ApiResponse:
    """POST tattoos/prove: is the tattoo in the body the one of the version it names?"""
    read_query(request, NoQuery)
    text = _tattoo_text(request)
    facts = parse(text)
    name, number = facts.get("definition", ""), facts.get("version", "")
    stored = await app.image_versions.get(name, number) if name and number else None
    if stored is None:
        raise unknown(
            "version",
            f"The register has no version {number!r} of an image {name!r}, which this tattoo "
            "names: it was not made here.",
        )
    proof = held_against(text, stored.value)
    body = {
        "definition": name,
        "version": number,
        "proved": proof.proved,
        "faults": list(proof.faults),
        "digest": proof.digest,
        "state": stored.value.state.value,
        "signed_by": stored.value.evidence.signed_by or None,
        "version_url": links(request, app).to("images", name, "versions", number),
        "as_of": instant(app.now()),
    }
    return ApiResponse(status=200, body=body)


async def software_of_moves(
    name: str,
    before: Mapping[str, str | None],
    after: Mapping[str, str | None],
    request: ApiRequest,
    app: App,
) -> list[Json]:
    """Say what differs in software for each channel that moved from one version to another.

    *before* and *after* hold the version each channel shows. `summary` is None where one of the
    two has no software report.
    """
    said: list[Json] = []
    for channel, new in after.items():
        old = before.get(channel)
        if not old or not new or old == new:
            continue
        reports = [await app.evidence.get(name, number, SOFTWARE) for number in (old, new)]
        known = [read_document(report) for report in reports if report]
        summary = compare(*known).summary if len(known) == len(reports) else None
        diff_url = f"{links(request, app).to('images', name, 'diff')}?from={old}&to={new}"
        said.append(
            {"channel": channel, "from": old, "to": new, "summary": summary, "diff_url": diff_url}
        )
    return said


def _tattoo_text(request: ApiRequest) -> str:
    if len(request.body) > MAX_TATTOO:
        raise bad_request(("body", f"a tattoo is at most {MAX_TATTOO} bytes"))
    try:
        text = request.body.decode()
    except UnicodeDecodeError as error:
        raise bad_request(("body", "a tattoo is UTF-8 text")) from error
    if not parse(text):
        raise bad_request(("body", "it must be the lines of a tattoo, each key=value"))
    return text


async def _report(version: ImageVersion, app: App) -> SoftwareReport:
    return read_document(await _document(version, SOFTWARE, app))


async def _document(version: ImageVersion, name: str, app: App) -> bytes:
    content = await app.evidence.get(version.definition, version.version, name)
    if content is None:
        raise _no_evidence(version, name)
    return content


def _no_evidence(version: ImageVersion, name: str) -> ProblemError:
    return unknown(
        "evidence",
        f"There is no {name} of version {version.version} of {version.definition}, which is "
        f"{version.state}: it is older than evidence, or did not get so far.",
    )
