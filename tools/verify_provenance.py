# /// script
# requires-python = ">=3.10"
# dependencies = ["securesystemslib[crypto]>=1.6,<2"]
# ///
"""Verify, offline and without Assay, the signed provenance of an image version.

It reads files and needs nobody's word but the public key's. The signature is checked by
securesystemslib (https://github.com/secure-systems-lab/securesystemslib), which in-toto and TUF
rest on. Exit status 0 means that everything asked for holds.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
BUILD_STATEMENT = "urn:assay:build-statement:v1"


class RefusedError(Exception):
    """Something does not hold; the text says what."""


def main(arguments: list[str] | None = None) -> int:
    """Check what the command line names and say what came of it; return the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        lines = check(asked.provenance, asked.key, asked.build_statement, asked.tattoo, asked.sbom)
    except (OSError, RefusedError) as error:
        sys.stderr.write(f"NOT VERIFIED: {error}\n")
        return 1
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("provenance", type=Path, help="the envelope, as /provenance answers it")
    parser.add_argument("--key", type=Path, required=True, help="public key, PEM")
    parser.add_argument(
        "--build-statement", type=Path, help="the envelope /provenance?statement=build answers"
    )
    parser.add_argument("--tattoo", type=Path, help="the tattoo of a VM, as lines key=value")
    parser.add_argument("--sbom", type=Path, help="the bill of materials, as /sbom answers it")
    return parser


def check(
    provenance: Path,
    key: Path,
    build_statement: Path | None = None,
    tattoo: Path | None = None,
    sbom: Path | None = None,
) -> list[str]:
    """Return a line for each thing that holds; raises RefusedError for the first that does not."""
    pem = key.read_bytes()
    statement, signed_by = opened(provenance, pem, PROVENANCE)
    (subject,) = statement["subject"]
    definition = statement["predicate"]["buildDefinition"]["externalParameters"]
    lines = [
        f"signature    good, by {signed_by}",
        f"version      {definition['definition']} {definition['version']}",
        f"built from   {definition['source']['uri']} {definition['source']['version']}",
        f"checks       {_checks(statement)}",
    ]
    byproducts = {b["name"]: b for b in statement["predicate"]["runDetails"]["byproducts"]}
    if build_statement:
        opened(build_statement, pem, BUILD_STATEMENT)
        digest = _payload_digest(build_statement)
        _same("the build statement", digest, byproducts["build-statement"])
        lines.append("statement    the one the build began with")
    if sbom:
        _same("the bill of materials", _sha256(sbom.read_bytes()), byproducts["sbom"])
        lines.append("sbom         the one of this version")
    if tattoo:
        text = tattoo.read_text()
        _same("the tattoo", tattoo_digest(text), subject)
        stamped = {"digest": {"sha256": facts(text).get("statement-digest", "none")}}
        _same("the build statement", byproducts["build-statement"]["digest"]["sha256"], stamped)
        lines.append("tattoo       genuine: the VM runs this version")
    return lines


def opened(path: Path, pem: bytes, predicate: str) -> tuple[dict[str, Any], str]:
    """Return the statement in an envelope and the id of the key that signed it.

    Raises RefusedError when no signature is good, or when it is not such a statement.
    """
    try:
        envelope = Envelope.from_dict(json.loads(path.read_bytes()))
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedError(f"{path} is no DSSE envelope ({error})") from error
    if not envelope.signatures:
        raise RefusedError(f"{path} is not signed")
    public = load_pem_public_key(pem)
    # The id in the envelope only hints at the key: whoever verifies names the key to trust.
    keys = [SSlibKey.from_crypto(public, keyid=name) for name in envelope.signatures]
    try:
        (good,) = envelope.verify(keys, 1)
    except VerificationError as error:
        raise RefusedError(f"{path} was not signed with this key, or was changed") from error
    statement: dict[str, Any] = json.loads(envelope.payload)
    kinds = (envelope.payload_type, statement.get("_type"), statement.get("predicateType"))
    if kinds != (PAYLOAD_TYPE, STATEMENT, predicate):
        raise RefusedError(f"{path} holds {kinds[2]}, not {predicate}")
    return statement, good


def facts(text: str) -> dict[str, str]:
    """Return the facts of a tattoo by their keys."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def tattoo_digest(text: str) -> str:
    """Return the SHA-256 over the lines of a tattoo in the order of their bytes."""
    return _sha256(b"".join(sorted(f"{k}={v}\n".encode() for k, v in facts(text).items())))


def _checks(statement: dict[str, Any]) -> str:
    byproducts = {b["name"]: b for b in statement["predicate"]["runDetails"]["byproducts"]}
    attempts = byproducts["attempts"]["annotations"]["attempts"]
    last = attempts[-1]
    passed = sum(c["outcome"] == "passed" for c in last["checks"])
    repaired = f", repaired with {', '.join(last['repairs'])}" if last["repairs"] else ""
    return f"{passed} of {len(last['checks'])} passed in attempt {last['number']}{repaired}"


def _payload_digest(path: Path) -> str:
    return _sha256(Envelope.from_dict(json.loads(path.read_bytes())).payload)


def _same(what: str, found: str, said: dict[str, Any]) -> None:
    expected = said.get("digest", {}).get("sha256", "none")
    if found != expected:
        raise RefusedError(f"{what} has digest {found}, expected {expected}")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
