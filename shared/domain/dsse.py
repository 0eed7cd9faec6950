"""DSSE, the Dead Simple Signing Envelope: what is signed, and how it travels.

Specification: https://github.com/secure-systems-lab/dsse, protocol.md and envelope.md, version 1.0.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""Payload type of in-toto Statements (in-toto attestation framework, spec/v1/envelope.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature; that of an elliptic-curve key is DER, as verifiers want it."""

    key_id: str
    value: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding: the bytes a signature is over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, signature: Signature | None) -> dict[str, Any]:
    """Return the envelope of an in-toto Statement, with no signature where there is none."""
    signatures = []
    if signature is not None:
        value = base64.b64encode(signature.value).decode()
        signatures.append({"keyid": signature.key_id, "sig": value})
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": signatures,
    }


def payload_of(envelope: bytes) -> bytes:
    """Return the payload inside an envelope, its signatures unread.

    Raises ValueError when it is no envelope.
    """
    try:
        return base64.b64decode(json.loads(envelope)["payload"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise ValueError(f"it is no DSSE envelope ({error})") from error


def signers_of(envelope: bytes) -> tuple[str, ...]:
    """Return the ids of the keys that signed an envelope; raises ValueError for none."""
    try:
        return tuple(str(s["keyid"]) for s in json.loads(envelope)["signatures"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"it is no DSSE envelope ({error})") from error
