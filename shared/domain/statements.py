"""The two statements Assay makes of a version: what a build was to do, and what came of it.

Both are in-toto Statements (https://github.com/in-toto/attestation, spec/v1). The first is made
before the build from nothing that a later look could change, so a repeated delivery makes the same
bytes, and its digest can be stamped into the image. The second has the SLSA provenance predicate
(https://slsa.dev/spec/v1.0/provenance).
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from shared.domain.build import Attempt, Build
from shared.domain.evidence import canonical, sha256
from shared.domain.image_definition import ImageDefinition, customization_digest

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
SLSA_PROVENANCE = "https://slsa.dev/provenance/v1"
BUILD_PREDICATE = "urn:assay:build-statement:v1"
BUILD_TYPE = "urn:assay:golden-image:v1"

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What verification left: digests (SHA-256 in hex) and the id of the version in Azure."""

    resource_id: str
    tattoo: str
    software: str
    sbom: str


def definition_digest(definition: ImageDefinition) -> str:
    """Return the SHA-256 of a whole definition, the text of its scripts included."""
    return sha256(canonical(asdict(definition)))


def build_statement(build: Build, attempt: Attempt, definition: ImageDefinition) -> Json:
    """Say what *attempt* is to do: which definition makes which version, from what."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": definition.name, "digest": {"sha256": definition_digest(definition)}}],
        "predicateType": BUILD_PREDICATE,
        "predicate": {
            "version": attempt.version,
            "build": build.id,
            "attempt": attempt.number,
            "source": _source(build),
            "customizationDigest": customization_digest(definition, attempt.repairs),
            "customizers": [
                {"name": c.name, "kind": str(c.kind), "sha256": sha256(c.script.encode())}
                for c in definition.customizers_with(attempt.repairs)
            ],
            "repairs": list(attempt.repairs),
            "requestedBy": build.requested_by,
            "requestedAt": _instant(build.created_at),
        },
    }


def provenance(build: Build, statement: Json, findings: Findings) -> Json:
    """Say what came of *build*, whose present attempt passed verification.

    *statement* is the build statement of that attempt: the definition may have changed since.
    Azure knows no digest of an image version's disk. What is digested is the tattoo inside it,
    which every VM made from the version carries and anyone can read there.
    """
    attempt, planned = build.attempt, statement["predicate"]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {
                "name": f"{build.definition}/{attempt.version}/tattoo",
                "uri": findings.resource_id,
                "digest": {"sha256": findings.tattoo},
            }
        ],
        "predicateType": SLSA_PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "definition": build.definition,
                    "version": attempt.version,
                    "source": _source(build),
                    "requestedBy": build.requested_by,
                    "forced": build.forced,
                },
                "internalParameters": {
                    "customizationDigest": planned["customizationDigest"],
                    "customizers": planned["customizers"],
                    "repairs": list(attempt.repairs),
                },
                "resolvedDependencies": _dependencies(build, statement),
            },
            "runDetails": {
                "builder": {"id": _builder(build)},
                "metadata": {
                    "invocationId": f"{build.id}/{attempt.number}",
                    "startedOn": _instant(attempt.started_at),
                    "finishedOn": _instant(build.phase_since),
                },
                "byproducts": [
                    _byproduct("build-statement", attempt.statement),
                    _byproduct("software-report", findings.software),
                    _byproduct("sbom", findings.sbom),
                    {"name": "attempts", "annotations": {"attempts": _attempts(build)}},
                ],
            },
        },
    }


def _source(build: Build) -> Json:
    if build.parent is not None:
        return {"uri": build.parent.resource_id, "version": build.source_version}
    return {"uri": f"azure-marketplace:{build.source_urn}", "version": build.source_version}


def _builder(build: Build) -> str:
    """Return who built it: the Assay that owns the gallery."""
    gallery = build.image_id.partition("/images/")[0]
    return f"https://management.azure.com{gallery}#assay"


def _dependencies(build: Build, statement: Json) -> list[Json]:
    (defined,) = statement["subject"]
    found: list[Json] = [
        {"name": "source", "uri": f"{_source(build)['uri']}:{build.source_version}"},
        {"name": "definition", "uri": f"urn:assay:definition:{build.definition}"}
        | {"digest": defined["digest"]},
    ]
    if build.parent is not None:
        found[0]["uri"] = build.parent.resource_id
        root = build.parent.root
        uri = f"azure-marketplace:{root.urn}:{root.version}"
        found.append({"name": "root-source", "uri": uri})
    return found


def _byproduct(name: str, digest: str) -> Json:
    return {"name": name, "digest": {"sha256": digest}} if digest else {"name": name}


def _attempts(build: Build) -> list[Json]:
    return [
        {
            "number": attempt.number,
            "version": attempt.version,
            "repairs": list(attempt.repairs),
            "failure": attempt.failure.message if attempt.failure else None,
            "checks": [
                {"name": r.name, "outcome": str(r.outcome), "severity": str(r.severity)}
                for r in (attempt.verification.results if attempt.verification else ())
            ],
        }
        for attempt in build.attempts
    ]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
