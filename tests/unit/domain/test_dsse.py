"""Envelopes, against the test vector of the specification and against securesystemslib."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from securesystemslib.dsse import Envelope
from securesystemslib.signer._key import SSlibKey

from shared.domain.dsse import PAYLOAD_TYPE, Signature, pae, payload_of, seal, signers_of

# github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors".
X = 46950820868899156662930047687818585632848591499744589407958293238635476079160
Y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
SIG = "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="


def test_the_encoding_is_that_of_the_specification() -> None:
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_the_signature_of_the_specification_is_over_our_encoding() -> None:
    raw = base64.b64decode(SIG)
    der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key = ec.EllipticCurvePublicNumbers(X, Y, ec.SECP256R1()).public_key()

    key.verify(der, pae("http://example.com/HelloWorld", b"hello world"), ec.ECDSA(hashes.SHA256()))


def test_lengths_are_counted_in_bytes() -> None:
    assert pae("é", "ü!".encode()) == "DSSEv1 2 é 3 ü!".encode()


def test_another_library_verifies_what_we_seal() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    payload = b'{"_type":"https://in-toto.io/Statement/v1"}'
    value = key.sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(hashes.SHA256()))
    text = json.dumps(seal(payload, Signature(key_id="k", value=value)))

    envelope = Envelope.from_dict(json.loads(text))

    assert envelope.payload == payload
    assert list(envelope.verify([SSlibKey.from_crypto(key.public_key(), keyid="k")], 1)) == ["k"]
    assert payload_of(text.encode()) == payload
    assert signers_of(text.encode()) == ("k",)


def test_an_unsigned_envelope_has_no_signatures() -> None:
    assert seal(b"x", None) == {"payload": "eA==", "payloadType": PAYLOAD_TYPE, "signatures": []}


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"payload": 5}', b'{"payload": "?"}'])
def test_what_is_no_envelope_is_named(text: bytes) -> None:
    with pytest.raises(ValueError, match="it is no DSSE envelope"):
        payload_of(text)
