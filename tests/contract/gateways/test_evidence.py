"""Where evidence is kept: in memory, and in Blob Storage (the emulator)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from localcloud.azurite import Azurite
from shared.errors import RefusedError
from shared.gateways.evidence import BlobEvidence
from shared.ports import Evidence
from shared.settings import Storage, settings_from_environ
from tests.arm_plugin import FixedToken
from tests.fakes.evidence import FakeEvidence
from tests.settings import APP_ENVIRON

SETTINGS = settings_from_environ(APP_ENVIRON)


@pytest.fixture(params=["fake", "Azurite"])
async def evidence(request: pytest.FixtureRequest, azurite: Azurite) -> AsyncIterator[Evidence]:
    if request.param == "fake":
        yield FakeEvidence()
        return
    storage = Storage(connection_string=azurite.connection_string)
    gateway = BlobEvidence(replace(SETTINGS, storage=storage), FixedToken(), retries=0)
    yield gateway
    await gateway.close()


@pytest.fixture
def definition() -> str:
    return f"image-{uuid4().hex[:8]}"


async def test_what_was_kept_is_there_byte_for_byte(evidence: Evidence, definition: str) -> None:
    await evidence.put(definition, "1.0.0", "sbom.cdx.json", b'{"a":"\xc3\xa9"}')

    assert await evidence.get(definition, "1.0.0", "sbom.cdx.json") == b'{"a":"\xc3\xa9"}'


async def test_what_was_not_kept_is_not_there(evidence: Evidence, definition: str) -> None:
    await evidence.put(definition, "1.0.0", "software.json", b"x")

    assert await evidence.get(definition, "1.0.0", "sbom.cdx.json") is None
    assert await evidence.get(definition, "1.0.1", "software.json") is None


async def test_keeping_again_replaces(evidence: Evidence, definition: str) -> None:
    await evidence.put(definition, "1.0.0", "software.json", b"old")
    await evidence.put(definition, "1.0.0", "software.json", b"new")

    assert await evidence.get(definition, "1.0.0", "software.json") == b"new"


async def test_without_a_place_for_blobs_the_setting_is_named() -> None:
    storage = Storage(table_uri="https://t", queue_uri="https://q")
    gateway = BlobEvidence(replace(SETTINGS, storage=storage), FixedToken())

    with pytest.raises(RefusedError, match="set AzureWebJobsStorage__blobServiceUri"):
        await gateway.get("d", "1.0.0", "x")
