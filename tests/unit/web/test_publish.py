"""Asking for a build over HTTP."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.build import Phase
from shared.domain.image_definition import MarketplaceSource, build_id
from shared.errors import ThrottledError
from shared.messages import StartAttempt, StartBuild
from shared.web.exchange import ApiRequest
from shared.web.publish import publish_image
from tests.fakes.marketplace import FakeMarketplace
from tests.unit.web.office import Office
from tests.unit.web.samples import (
    BASE,
    BUILD_ID,
    DEFINITION,
    NOON_TEXT,
    SOURCE_VERSION,
    URN,
    build,
    request,
)


def _asked(body: bytes = b"", key: str | None = None) -> ApiRequest:
    headers = {} if key is None else {"idempotency-key": key}
    path = "images/ubuntu/publish"
    return request(path, method="POST", body=body, headers=headers, name="ubuntu")


def _answer(*, reused: bool, finished: bool = False) -> dict[str, Any]:
    return {
        "build": BUILD_ID,
        "url": f"{BASE}/builds/{BUILD_ID}",
        "reused": reused,
        "definition": "ubuntu",
        "source_version": SOURCE_VERSION,
        "finished": finished,
        "as_of": NOON_TEXT,
    }


async def test_publishing_starts_a_build_of_the_newest_source_version() -> None:
    office = Office()
    response = await office.ask(publish_image, _asked())
    assert response.status == 202
    assert response.body == _answer(reused=False)
    assert response.headers["Location"] == f"{BASE}/builds/{BUILD_ID}"
    safety, first = office.outbox.sent
    assert isinstance(safety.command, StartBuild)
    assert safety.delay.total_seconds() == 10
    assert first.command == StartAttempt(build_id=BUILD_ID, turn=0)
    assert safety.correlation_id == first.correlation_id == "c-1"
    stored = await office.builds.get(BUILD_ID)
    assert stored is not None
    assert (stored.value.requested_by, stored.value.forced) == ("http", False)


async def test_publishing_again_answers_the_build_under_way() -> None:
    office = Office()
    await office.hold_build(build(Phase.VERIFYING))
    response = await office.ask(publish_image, _asked())
    assert (response.status, response.body) == (202, _answer(reused=True))


class SlowMarketplace(FakeMarketplace):
    """Lets others go first before it answers."""

    async def versions(self, source: MarketplaceSource) -> list[str]:
        await asyncio.sleep(0)
        return await super().versions(source)


async def test_two_requests_at_once_get_the_same_build() -> None:
    office = Office(marketplace=SlowMarketplace({URN: [SOURCE_VERSION]}))
    both = await asyncio.gather(
        office.ask(publish_image, _asked()), office.ask(publish_image, _asked())
    )
    assert [r.status for r in both] == [202, 202]
    assert [b.id for b in (await office.builds.list()).items] == [BUILD_ID]


async def test_a_released_build_is_answered_and_nothing_is_built() -> None:
    office = Office()
    await office.hold_build(build(Phase.RELEASED))
    response = await office.ask(publish_image, _asked())
    assert (response.status, response.body) == (200, _answer(reused=True, finished=True))
    assert office.outbox.sent == []


@pytest.mark.parametrize("phase", [Phase.REJECTED, Phase.FAILED])
async def test_a_build_that_failed_is_not_repeated_unless_forced(phase: Phase) -> None:
    office = Office()
    await office.hold_build(build(phase))
    body = await office.body(publish_image, _asked(), status=409)
    assert body["type"] == "urn:assay:problem:build-ended"
    assert (body["build"], body["phase"]) == (BUILD_ID, phase.value)
    forced = await office.body(publish_image, _asked(b'{"force": true}'), status=202)
    assert forced["build"] != BUILD_ID


async def test_every_forced_request_is_a_build_of_its_own() -> None:
    office = Office()
    asked = _asked(b'{"force": true}')
    first = await office.body(publish_image, asked, status=202)
    second = await office.body(publish_image, asked, status=202)
    assert len({first["build"], second["build"], BUILD_ID}) == 3
    assert (first["reused"], second["reused"]) == (False, False)


async def test_a_forced_request_under_the_same_key_is_the_same_build() -> None:
    office = Office()
    asked = _asked(b'{"force": true}', key="ticket-4711")
    first = await office.body(publish_image, asked, status=202)
    second = await office.body(publish_image, asked, status=202)
    assert first["build"] == build_id(DEFINITION, SOURCE_VERSION, force="ticket-4711")
    assert second["build"] == first["build"]
    assert second == first


async def test_a_key_without_force_changes_nothing() -> None:
    body = await Office().body(publish_image, _asked(key="ticket-4711"), status=202)
    assert body["build"] == BUILD_ID


async def test_a_named_source_version_is_built_though_it_is_not_the_newest() -> None:
    asked = _asked(b'{"source_version": "22.04.20261"}')
    body = await Office().body(publish_image, asked, status=202)
    assert body["source_version"] == "22.04.20261"
    assert body["build"] == build_id(DEFINITION, "22.04.20261")


async def test_a_source_version_that_is_not_offered_is_refused_with_one_that_is() -> None:
    office = Office()
    asked = _asked(b'{"source_version": "22.04.9"}')
    body = await office.body(publish_image, asked, status=409)
    assert body["type"] == "urn:assay:problem:source-version-not-found"
    assert body["newest"] == SOURCE_VERSION
    assert (await office.builds.list()).items == ()


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        ({}, f"the Marketplace has no image {URN}; correct the definition"),
        ({URN: []}, "the Marketplace lists no version of it in our region"),
    ],
)
async def test_a_source_that_offers_nothing_is_a_fault_of_the_definition(
    listed: dict[str, list[str]], why: str
) -> None:
    office = Office(marketplace=FakeMarketplace(listed))
    body = await office.body(publish_image, _asked(), status=409)
    assert body["type"] == "urn:assay:problem:source-not-found"
    assert body["detail"] == (
        f"There is nothing to build 'ubuntu' from: {why}. Correct `source` in its definition, or "
        "choose a region that offers the image."
    )


async def test_an_unknown_image_cannot_be_published() -> None:
    asked = request("images/x/publish", method="POST", name="x")
    body = await Office().body(publish_image, asked, status=404)
    assert body["known"] == ["ubuntu"]


async def test_a_malformed_source_version_is_refused_before_azure_is_asked() -> None:
    office = Office(marketplace=FakeMarketplace({}))
    body = await office.body(publish_image, _asked(b'{"source_version": "latest"}'), status=400)
    assert [e["field"] for e in body["errors"]] == ["source_version"]


async def test_a_throttled_azure_is_passed_on_with_its_wait() -> None:
    office = Office()
    office.marketplace.fail_next(
        "versions", ThrottledError("slow down", after=timedelta(seconds=7))
    )
    response = await office.ask(publish_image, _asked())
    assert (response.status, response.headers["Retry-After"]) == (429, "7")
