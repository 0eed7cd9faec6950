"""Statements into envelopes: signed once, and kept."""

import json

from shared.domain.build import Attempt, Build
from shared.domain.dsse import PAYLOAD_TYPE, pae, payload_of, seal, signers_of
from shared.domain.evidence import BUILD_STATEMENT, canonical, sha256
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion
from shared.domain.statements import build_statement
from shared.ports import Evidence, Signer


async def keep_sealed(
    payload: bytes, version: ImageVersion, name: str, *, evidence: Evidence, signer: Signer
) -> bytes:
    """Keep *payload* in a signed envelope under *name*, and return the envelope.

    One that holds the same payload, signed, is left as it is: elliptic-curve signatures differ
    each time.
    """
    present = await evidence.get(version.definition, version.version, name)
    if present is not None and payload_of(present) == payload and signers_of(present):
        return present
    signature = await signer.sign(pae(PAYLOAD_TYPE, payload))
    envelope = json.dumps(seal(payload, signature)).encode()
    await evidence.put(version.definition, version.version, name, envelope)
    return envelope


async def keep_build_statement(
    build: Build,
    attempt: Attempt,
    definition: ImageDefinition,
    version: ImageVersion,
    *,
    evidence: Evidence,
    signer: Signer,
) -> str:
    """Keep the signed build statement of *attempt*, and return its digest for the tattoo."""
    payload = canonical(build_statement(build, attempt, definition))
    await keep_sealed(payload, version, BUILD_STATEMENT, evidence=evidence, signer=signer)
    return sha256(payload)
