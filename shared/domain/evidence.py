"""Evidence on an image version: what is kept under which name, and the digests that pin it."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from shared.domain.tattoo import parse

SOFTWARE = "software.json"
"""The software report, as gathered in the verification VM."""
SBOM = "sbom.cdx.json"
"""The same as CycloneDX."""
BUILD_STATEMENT = "build-statement.dsse.json"
"""What the build was to do, signed before it began; its digest is in the tattoo."""
PROVENANCE = "provenance.dsse.json"
"""What came of it, signed after verification: an in-toto Statement with SLSA provenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionEvidence:
    """What the register keeps of the evidence on a version; digests are SHA-256 in hex.

    Empty where there is no such document: the version is older than evidence, or it was rejected
    before its software could be read.
    """

    statement: str = ""
    """Of the payload of the build statement."""
    provenance: str = ""
    """Of the payload of the provenance."""
    software: str = ""
    sbom: str = ""
    tattoo: str = ""
    """Of the tattoo as it stands in the guest; see `tattoo_digest`."""
    signed_by: str = ""
    """Id of the key that signed; empty when the evidence is unsigned."""
    compared_with: str = ""
    """The version that was the newest released one when this one was attested."""
    changes: str = ""
    """What differs in software from that version, in a line."""


def sha256(content: bytes) -> str:
    """Return the SHA-256 of *content* in hex."""
    return hashlib.sha256(content).hexdigest()


def canonical(document: dict[str, Any]) -> bytes:
    """Return *document* as JSON whose bytes depend on nothing but its content."""
    text = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
    )
    return text.encode()


def _plain(value: object) -> object:
    """Return what JSON has no word for: durations as text, sets as lists in order."""
    if isinstance(value, frozenset | set):
        return sorted(value, key=str)
    return str(value)


def tattoo_digest(text: str) -> str:
    """Return the SHA-256 over a tattoo's lines in the order of their bytes, each with a line end.

    So `LC_ALL=C sort /etc/assay/tattoo | sha256sum` prints it in a Linux guest, and the order in
    which Windows lists registry values makes no difference.
    """
    lines = sorted(f"{key}={value}\n".encode() for key, value in parse(text).items())
    return sha256(b"".join(lines))
