"""Which keys `ASSAY_SIGNING_KEY` may name."""

import pytest

from shared.errors import SettingsError
from shared.settings import settings_from_environ
from tests.settings import APP_ENVIRON

LOCAL = {"ASSAY_ARM_ENDPOINT": "http://127.0.0.1:7072"}


def read(key: str, **more: str) -> str:
    return settings_from_environ({**APP_ENVIRON, "ASSAY_SIGNING_KEY": key, **more}).signing_key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "https://kv-platform.vault.azure.net/keys/assay",
        "https://kv-platform.vault.azure.net/keys/assay/0f0c1d2e3f405162738495a6b7c8d9e0",
        "https://hsm.managedhsm.azure.net/keys/assay",
    ],
)
def test_a_key_in_a_vault_is_taken(key: str) -> None:
    assert read(key) == key


@pytest.mark.parametrize(
    "key",
    [
        "http://kv-platform.vault.azure.net/keys/assay",
        "https://kv-platform.vault.azure.net/secrets/assay",
        "https://kv-platform.vault.azure.net/keys/",
        "https://user@kv.vault.azure.net/keys/assay",
        "assay",
    ],
)
def test_anything_else_is_refused(key: str) -> None:
    with pytest.raises(SettingsError, match="it must be https://<vault>/keys/<name>"):
        read(key)


def test_a_key_in_a_file_is_for_the_local_cloud_alone() -> None:
    assert read("file:/tmp/key.pem", **LOCAL) == "file:/tmp/key.pem"
    with pytest.raises(SettingsError, match=r"ASSAY_SIGNING_KEY is .file:/tmp/key\.pem."):
        read("file:/tmp/key.pem")
