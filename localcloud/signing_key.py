"""The key that signs evidence in the local cloud: made anew for each run, gone with it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


@contextmanager
def signing_key() -> Iterator[str]:
    """Yield the setting `ASSAY_SIGNING_KEY` for a fresh P-256 key in a file only we can read."""
    with tempfile.TemporaryDirectory(prefix="assay-key-") as folder:
        path = Path(folder) / "signing-key.pem"
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.touch(mode=0o600)
        path.write_bytes(pem)
        yield f"file:{path}"
