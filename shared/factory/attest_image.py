"""attest_image: write down what is known of a verified version, and sign it."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.domain.build import Build, Phase
from shared.domain.dsse import payload_of, signers_of
from shared.domain.evidence import BUILD_STATEMENT, PROVENANCE, SBOM, SOFTWARE, canonical, sha256
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.software import read_document
from shared.domain.software_diff import compare
from shared.domain.statements import Findings, build_statement, provenance
from shared.domain.tattoo import TAG_PREFIX
from shared.domain.versions import version_key
from shared.errors import NotFoundError, PermanentError
from shared.factory.definitions import definition_named
from shared.factory.sbom import sbom
from shared.factory.sealing import keep_sealed
from shared.factory.turns import Repeat, go, take_turn
from shared.messages import AttestImage, Message
from shared.ports import Builds, Definitions, Evidence, Gallery, ImageVersions, Pace, Signer

PROVENANCE_TAG = f"{TAG_PREFIX}provenance-digest"


async def attest_image(
    command: AttestImage,
    *,
    definitions: Definitions,
    builds: Builds,
    image_versions: ImageVersions,
    gallery: Gallery,
    evidence: Evidence,
    signer: Signer,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Keep the bill of materials and the signed provenance, their digests in register and gallery.

    Everything is made from records alone, so a repeat makes the same documents; a signature that
    is there already is kept. How the software differs from the newest released version is part of
    the history, for whoever promotes the version.

    Raises PermanentError when the register or the evidence of the version is gone.
    """
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    build = stored.value
    row = await image_versions.get(build.definition, build.attempt.version)
    if row is None:
        raise NotFoundError(
            f"version {build.attempt.version} of {build.definition} is not in the register; its "
            "row was deleted, start the build again with force"
        )
    changes, previous = await _changes(row.value, image_versions, evidence)
    kept = await _keep_sbom(row.value, evidence)
    statement = await _statement(build, definition_named(definitions, build.definition), evidence)
    findings = Findings(
        resource_id=row.value.resource_id,
        tattoo=kept.evidence.tattoo,
        software=kept.evidence.software,
        sbom=kept.evidence.sbom,
    )
    payload = canonical(provenance(build, statement, findings))
    envelope = await keep_sealed(payload, kept, PROVENANCE, evidence=evidence, signer=signer)
    await gallery.tag(build.image_id, build.attempt.version, {PROVENANCE_TAG: sha256(payload)})
    signers = signers_of(envelope)
    attested = replace(
        kept.evidence,
        provenance=sha256(payload),
        signed_by=signers[0] if signers else "",
        changes=changes,
        compared_with=previous,
    )
    if attested != row.value.evidence:
        await image_versions.save(replace(row, value=replace(kept, evidence=attested)))
    because = f"attested, {_signed(envelope)}"
    if previous:
        because += f"; since {previous}: {changes}"
    return await go(stored, Phase.PUBLISHING, builds=builds, now=now, because=because)


def _signed(envelope: bytes) -> str:
    names = signers_of(envelope)
    return f"signed by {names[0]}" if names else "unsigned: ASSAY_SIGNING_KEY is not set"


async def _keep_sbom(version: ImageVersion, evidence: Evidence) -> ImageVersion:
    """Return *version* with the digest of its bill of materials, which is then kept."""
    report = await evidence.get(version.definition, version.version, SOFTWARE)
    if report is None:
        if version.evidence.software:
            raise PermanentError(
                f"the software report of version {version.version} of {version.definition} is "
                "gone from the storage account; start the build again with force"
            )
        return version
    content = sbom(
        read_document(report),
        definition=version.definition,
        version=version.version,
        made_at=version.created_at,
    )
    await evidence.put(version.definition, version.version, SBOM, content)
    return replace(version, evidence=replace(version.evidence, sbom=sha256(content)))


async def _statement(
    build: Build, definition: ImageDefinition, evidence: Evidence
) -> dict[str, Any]:
    """Return the build statement of the present attempt, as it was kept when it began.

    An attempt of an earlier release has none; then it is said from the definition as it is now.
    """
    attempt = build.attempt
    if not attempt.statement:
        return build_statement(build, attempt, definition)
    envelope = await evidence.get(build.definition, attempt.version, BUILD_STATEMENT)
    if envelope is None or sha256(payload_of(envelope)) != attempt.statement:
        raise PermanentError(
            f"the build statement of version {attempt.version} of {build.definition} is gone from "
            "the storage account or is not the one in the tattoo; find out who changed it, then "
            "start the build again with force"
        )
    statement: dict[str, Any] = json.loads(payload_of(envelope))
    return statement


async def _changes(
    version: ImageVersion, image_versions: ImageVersions, evidence: Evidence
) -> tuple[str, str]:
    """Return what differs from the newest released version, in a line, and its number.

    Both are empty when there is none, or either of the two has no report.
    """
    rows = [stored.value for stored in await image_versions.list(version.definition)]
    released = [r for r in rows if r.state is VersionState.RELEASED]
    newest = max(released, key=lambda r: version_key(r.version), default=None)
    if newest is None:
        return "", ""
    old = await evidence.get(newest.definition, newest.version, SOFTWARE)
    new = await evidence.get(version.definition, version.version, SOFTWARE)
    if old is None or new is None:
        return "", ""
    return compare(read_document(old), read_document(new)).summary, newest.version
