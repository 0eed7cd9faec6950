"""The key that signs evidence: in a Key Vault, or on this machine in the local cloud."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

from shared.domain.dsse import Signature
from shared.errors import RefusedError
from shared.gateways.errors import translated
from shared.ports import Signer
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.keyvault.keys import KeyVaultKey
    from azure.keyvault.keys.aio import KeyClient

FILE = "file:"
_CURVES: dict[str, tuple[type[ec.EllipticCurve], str, type[hashes.HashAlgorithm]]] = {
    "P-256": (ec.SECP256R1, "ES256", hashes.SHA256),
    "P-384": (ec.SECP384R1, "ES384", hashes.SHA384),
    "P-521": (ec.SECP521R1, "ES512", hashes.SHA512),
}
"""Curve, algorithm and hash by Key Vault's name of the curve
(https://learn.microsoft.com/azure/key-vault/keys/about-keys-details)."""
_RSA = "PS256"


def signer(settings: Settings, credential: "AsyncTokenCredential") -> "ClosableSigner":
    """Return the signer that `ASSAY_SIGNING_KEY` names; without one nothing is signed."""
    key = settings.signing_key
    if not key:
        return NoSigner()
    if key.startswith(FILE):
        return FileSigner(Path(key.removeprefix(FILE)))
    return KeyVaultSigner(key, credential)


class ClosableSigner(Signer):
    """A signer that may hold connections."""

    async def close(self) -> None:
        """Close them."""


class NoSigner(ClosableSigner):
    """Signs nothing: evidence is kept unsigned, and says so."""

    async def sign(self, message: bytes) -> Signature | None:  # noqa: ARG002 - the port's
        """Return None: no key is set up."""
        return None

    async def public_key(self) -> str:
        """Return nothing: no key is set up."""
        return ""


class FileSigner(ClosableSigner):
    """A P-256 key in an unencrypted PEM file, for the local cloud alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def sign(self, message: bytes) -> Signature | None:
        """Sign with ECDSA over SHA-256; raises RefusedError when the file holds no such key."""
        key = await self._key()
        value = key.sign(message, ec.ECDSA(hashes.SHA256()))
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = hashes.Hash(hashes.SHA256())
        digest.update(public)
        return Signature(key_id=f"sha256:{digest.finalize().hex()}", value=value)

    async def public_key(self) -> str:
        """Return the public key as PEM; raises RefusedError when the file holds no such key."""
        return _pem((await self._key()).public_key())

    async def _key(self) -> ec.EllipticCurvePrivateKey:
        advice = "make one with: openssl ecparam -name prime256v1 -genkey -noout"
        try:
            pem = await asyncio.to_thread(self._path.read_bytes)
            key = serialization.load_pem_private_key(pem, password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise RefusedError(f"the signing key {self._path} cannot be read: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise RefusedError(f"the signing key {self._path} is no P-256 key; {advice}")
        return key


class KeyVaultSigner(ClosableSigner):
    """A key that never leaves its vault; *url* is `https://<vault>/keys/<name>[/<version>]`.

    Without a version the newest is used, so rotating the key in the vault is enough. The identity
    Assay runs as needs the role Key Vault Crypto User on the key. *options* go to the SDK.
    """

    def __init__(self, url: str, credential: "AsyncTokenCredential", **options: Any) -> None:
        parts = urlsplit(url)
        _, _, self._name, *version = parts.path.split("/")
        self._version = version[0] if version else None
        self._vault = f"{parts.scheme}://{parts.netloc}"
        self._credential = credential
        self._options = options
        self._client: KeyClient | None = None

    async def sign(self, message: bytes) -> Signature | None:
        """Sign *message*: ECDSA with a P-256, P-384 or P-521 key, RSA-PSS with an RSA key.

        Raises RefusedError when the key is of another kind or may not be used.
        """
        from azure.keyvault.keys.crypto import SignatureAlgorithm  # noqa: PLC0415 - heavy

        key = await self._key()
        algorithm, hash_type = _algorithm(key)
        digest = hashes.Hash(hash_type())
        digest.update(message)
        with translated(f"sign with the key {key.id}"):
            client = self._connected().get_cryptography_client(
                self._name, key_version=key.properties.version
            )
            result = await client.sign(SignatureAlgorithm(algorithm), digest.finalize())
        value = result.signature if algorithm == _RSA else _der(result.signature)
        return Signature(key_id=str(key.id), value=value)

    async def public_key(self) -> str:
        """Return the public key as PEM."""
        key = await self._key()
        _algorithm(key)
        return _pem(_public_key(key))

    async def close(self) -> None:
        """Close every connection; the credential stays open, it is not ours."""
        if self._client is not None:
            await self._client.close()
        self._client = None

    async def _key(self) -> "KeyVaultKey":
        with translated(f"read the key {self._name} in {self._vault}"):
            return await self._connected().get_key(self._name, self._version)

    def _connected(self) -> "KeyClient":
        from azure.keyvault.keys.aio import KeyClient  # noqa: PLC0415 - heavy

        if self._client is None:
            self._client = KeyClient(self._vault, self._credential, **self._options)
        return self._client


def _algorithm(key: "KeyVaultKey") -> tuple[str, type[hashes.HashAlgorithm]]:
    kind = _word(key.key_type)
    if kind.startswith("RSA"):
        return _RSA, hashes.SHA256
    curve = _word(_jwk(key).crv)
    if kind.startswith("EC") and curve in _CURVES:
        _, algorithm, hash_type = _CURVES[curve]
        return algorithm, hash_type
    raise RefusedError(
        f"the signing key {key.id} is of type {kind} {curve}; use an EC key on P-256, or RSA"
    )


def _public_key(key: "KeyVaultKey") -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    jwk = _jwk(key)
    if _word(key.key_type).startswith("RSA"):
        return rsa.RSAPublicNumbers(_number(jwk.e), _number(jwk.n)).public_key()
    curve, _, _ = _CURVES[_word(jwk.crv)]
    return ec.EllipticCurvePublicNumbers(_number(jwk.x), _number(jwk.y), curve()).public_key()


def _jwk(key: "KeyVaultKey") -> Any:
    """Return the key's numbers; the SDK sets these fields without declaring them."""
    return key.key


def _word(value: object) -> str:
    return str(getattr(value, "value", value))


def _number(value: bytes | None) -> int:
    return int.from_bytes(value or b"")


def _der(signature: bytes) -> bytes:
    """Return Key Vault's r and s, side by side, as the DER that DSSE verifiers read."""
    half = len(signature) // 2
    return utils.encode_dss_signature(_number(signature[:half]), _number(signature[half:]))


def _pem(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
