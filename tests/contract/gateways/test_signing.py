"""Signing with a key in a vault, by the real SDK, and with one in a file."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer._key import SSlibKey
from securesystemslib.signer._signature import Signature as SSlibSignature

from localcloud.signing_key import signing_key
from shared.domain.dsse import PAYLOAD_TYPE, pae
from shared.errors import NotFoundError, NotReadyError, RefusedError, ThrottledError
from shared.gateways.signing import FileSigner, KeyVaultSigner, NoSigner, signer
from shared.ports import Signer
from shared.settings import settings_from_environ
from tests.arm_plugin import FixedToken
from tests.contract.gateways.vault import VAULT, ToTheVault, Vault
from tests.fakes.evidence import FakeSigner
from tests.settings import APP_ENVIRON

type MakeSigner = Callable[[str], KeyVaultSigner]

PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(65537, 2048)


@pytest.fixture
async def vault() -> AsyncIterator[Vault]:
    served = Vault(keys={"assay": [P256]})
    runner = web.AppRunner(served.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    await runner.cleanup()


@pytest.fixture
async def make(vault: Vault) -> AsyncIterator[MakeSigner]:
    made: list[KeyVaultSigner] = []

    def one(url: str) -> KeyVaultSigner:
        options = {"transport": ToTheVault(vault.url), "retry_total": 0}
        made.append(KeyVaultSigner(url, FixedToken(), **options))
        return made[-1]

    yield one
    for each in made:
        await each.close()


async def verifies(signs: Signer) -> str:
    """Return the key's id after another library has verified what *signs* made."""
    signature = await signs.sign(pae(PAYLOAD_TYPE, PAYLOAD))
    assert signature is not None
    key = load_pem_public_key((await signs.public_key()).encode())
    held = SSlibSignature(signature.key_id, signature.value.hex())
    envelope = Envelope(PAYLOAD, PAYLOAD_TYPE, {signature.key_id: held})
    envelope.verify([SSlibKey.from_crypto(key, keyid=signature.key_id)], 1)
    return signature.key_id


@pytest.mark.parametrize("key", [P256, P384, RSA], ids=["P-256", "P-384", "RSA"])
async def test_a_vaults_signature_is_one_that_others_verify(
    vault: Vault, make: MakeSigner, key: ec.EllipticCurvePrivateKey
) -> None:
    vault.keys["assay"] = [key]

    assert await verifies(make(f"{VAULT}/keys/assay")) == f"{VAULT}/keys/assay/1"


async def test_a_key_that_was_rotated_signs_from_then_on(vault: Vault, make: MakeSigner) -> None:
    signs = make(f"{VAULT}/keys/assay")
    await verifies(signs)
    vault.keys["assay"].append(ec.generate_private_key(ec.SECP256R1()))

    assert await verifies(signs) == f"{VAULT}/keys/assay/2"


async def test_a_version_that_is_named_stays(vault: Vault, make: MakeSigner) -> None:
    vault.keys["assay"].append(ec.generate_private_key(ec.SECP256R1()))

    assert await verifies(make(f"{VAULT}/keys/assay/1")) == f"{VAULT}/keys/assay/1"


@pytest.mark.parametrize(("status", "error"), [(403, NotReadyError), (429, ThrottledError)])
async def test_a_vault_that_refuses_is_told_apart_from_a_busy_one(
    vault: Vault, make: MakeSigner, status: int, error: type[Exception]
) -> None:
    vault.refuses = status

    with pytest.raises(error, match="Azure did not read the key assay"):
        await make(f"{VAULT}/keys/assay").sign(b"x")


async def test_a_key_that_does_not_exist_is_named(make: MakeSigner) -> None:
    with pytest.raises(NotFoundError, match="read the key other in https://assay-test"):
        await make(f"{VAULT}/keys/other").sign(b"x")


async def test_a_key_on_a_curve_nobody_verifies_is_refused(vault: Vault, make: MakeSigner) -> None:
    vault.keys["assay"] = [ec.generate_private_key(ec.SECP256K1())]

    with pytest.raises(RefusedError, match="is of type EC P-256K; use an EC key on P-256"):
        await make(f"{VAULT}/keys/assay").sign(b"x")


async def test_a_key_in_a_file_signs_too() -> None:
    with signing_key() as setting:
        key_id = await verifies(FileSigner(Path(setting.removeprefix("file:"))))

    assert key_id.startswith("sha256:")


@pytest.mark.parametrize("text", ["", "no key"])
async def test_a_file_that_holds_no_key_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.pem"
    if text:
        path.write_text(text)

    with pytest.raises(RefusedError, match=r"the signing key .*key\.pem cannot be read"):
        await FileSigner(path).sign(b"x")


async def test_the_fake_signs_like_the_others() -> None:
    await verifies(FakeSigner())


def test_the_setting_chooses_the_signer() -> None:
    def chosen(key: str) -> str:
        environ = {**APP_ENVIRON, "ASSAY_SIGNING_KEY": key}
        environ["ASSAY_ARM_ENDPOINT"] = "http://127.0.0.1:7072"
        return type(signer(settings_from_environ(environ), FixedToken())).__name__

    assert chosen("") == NoSigner.__name__
    assert chosen("file:/tmp/key.pem") == FileSigner.__name__
    assert chosen(f"{VAULT}/keys/assay") == KeyVaultSigner.__name__


async def test_without_a_key_nothing_is_signed() -> None:
    assert await NoSigner().sign(b"x") is None
    assert await NoSigner().public_key() == ""
