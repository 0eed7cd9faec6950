"""Where evidence is kept, and what signs it."""

from typing import Protocol

from shared.domain.dsse import Signature


class Evidence(Protocol):
    """The documents that prove what an image version is; names are in `domain/evidence.py`."""

    async def put(self, definition: str, version: str, name: str, content: bytes) -> None:
        """Keep a document; keeping it again replaces it."""

    async def get(self, definition: str, version: str, name: str) -> bytes | None:
        """Return a document; None when there is none."""


class Signer(Protocol):
    """The key that signs evidence, if one is set up."""

    async def sign(self, message: bytes) -> Signature | None:
        """Sign *message*; None when no key is set up.

        Raises RefusedError when the key may not be used.
        """

    async def public_key(self) -> str:
        """Return the public key as PEM; empty when no key is set up."""
