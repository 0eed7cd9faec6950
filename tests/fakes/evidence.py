"""Evidence and a signing key in memory."""

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.domain.dsse import Signature
from tests.fakes.dial import Dial

KEY_ID = "https://vault.example/keys/assay/1"


class FakeEvidence(Dial):
    """Documents by definition, version and name."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str, str], bytes] = {}

    async def put(self, definition: str, version: str, name: str, content: bytes) -> None:
        self._call("put")
        self.held[definition, version, name] = content

    async def get(self, definition: str, version: str, name: str) -> bytes | None:
        self._call("get")
        return self.held.get((definition, version, name))


class FakeSigner(Dial):
    """A real P-256 key that lives as long as the fake; *off* signs nothing."""

    def __init__(self, *, off: bool = False) -> None:
        super().__init__()
        self.off = off
        self.signed = 0
        self._key = ec.generate_private_key(ec.SECP256R1())

    async def sign(self, message: bytes) -> Signature | None:
        self._call("sign")
        if self.off:
            return None
        self.signed += 1
        return Signature(key_id=KEY_ID, value=self._key.sign(message, ec.ECDSA(hashes.SHA256())))

    async def public_key(self) -> str:
        self._call("public_key")
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return "" if self.off else public.decode()
