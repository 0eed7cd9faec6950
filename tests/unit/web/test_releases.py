"""Moves of releases over HTTP: what is allowed is done, what is not is answered with what is."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.channel import ImageChannels, MoveKind
from shared.domain.evidence import SOFTWARE, canonical
from shared.domain.image_version import VersionState
from shared.domain.release_rules import ChannelRule
from shared.domain.software import read_listing
from shared.ports import Stored
from shared.web import releases
from tests.fakes.guest_software import LISTING
from tests.unit.web.office import Office
from tests.unit.web.samples import DEFINITION, NOON, request, version

OLD, NEW = "1.20261120.1", "1.20261122.1"
WHY = b'{"reason": "it breaks printing"}'


async def _office(**rules: Any) -> Office:
    """An image with OLD in stable and NEW in canary."""
    definition = replace(DEFINITION, **rules)
    office = Office(definitions={"ubuntu": definition})
    channels = ImageChannels(definition="ubuntu")
    for number, names in ((OLD, ("canary", "stable")), (NEW, ("canary",))):
        await office.hold_version(version(number))
        for name in names:
            channels = channels.moved(
                name, number, MoveKind.PROMOTED, now=NOON, because="it soaked"
            )
    await office.channels.save(Stored(channels))
    return office


async def _ask(
    office: Office,
    verb: str,
    body: bytes = WHY,
    *,
    number: str = NEW,
    status: int = 200,
    key: str = "",
) -> Any:
    handler = getattr(releases, f"{verb}_version")
    asked = request(
        f"images/ubuntu/versions/{number}/{verb}", method="POST", body=body,
        headers={"idempotency-key": key} if key else {}, name="ubuntu", version=number,
    )  # fmt: skip
    return await office.body(handler, asked, status=status)


async def _roll_back(
    office: Office, body: bytes = WHY, *, channel: str = "stable", status: int = 200, key: str = ""
) -> Any:
    asked = request(
        f"images/ubuntu/channels/{channel}/rollback", method="POST", body=body,
        headers={"idempotency-key": key} if key else {}, name="ubuntu", channel=channel,
    )  # fmt: skip
    return await office.body(releases.roll_back_channel, asked, status=status)


async def test_a_version_is_promoted_into_the_channel_after_its_own() -> None:
    office = await _office()
    body = await _ask(office, "promote", b"")
    assert body["channels"] == {"canary": NEW, "stable": NEW}
    [entry] = (await office.audit.list("images/ubuntu")).items
    assert entry.before["channels"] == {"canary": NEW, "stable": OLD}
    assert entry.after is not None
    assert entry.after["channels"] == {"canary": NEW, "stable": NEW}


async def test_a_promotion_shows_what_changes_in_software() -> None:
    office = await _office()
    for number, listing in ((OLD, LISTING), (NEW, LISTING.replace("1.18", "1.19"))):
        content = canonical(read_listing(listing).document())
        await office.evidence.put("ubuntu", number, SOFTWARE, content)

    body = await _ask(office, "promote", b"")

    assert body["software"] == [
        {
            "channel": "stable",
            "from": OLD,
            "to": NEW,
            "summary": "1 changed, 0 added, 0 removed",
            "diff_url": f"https://assay.example/api/v1/images/ubuntu/diff?from={OLD}&to={NEW}",
        }
    ]


async def test_promoting_again_changes_nothing() -> None:
    office = await _office()
    await _ask(office, "promote", b"")
    again = await _ask(office, "promote", b"")
    assert again["channels"] == {"canary": NEW, "stable": NEW}
    stored = await office.channels.get("ubuntu")
    assert stored is not None
    assert len(stored.value.channel("stable").moves) == 2


async def test_a_channel_that_is_not_there_is_not_promoted_into() -> None:
    office = await _office()
    body = await _ask(office, "promote", b'{"channel": "beta"}', status=404)
    assert body["known"] == ["canary", "stable"]


async def test_a_promotion_without_its_approval_is_answered_with_the_present_state() -> None:
    rules = (ChannelRule(name="canary"), ChannelRule(name="stable", approval=True))
    office = await _office(channels=rules)
    body = await _ask(office, "promote", b"", status=409)
    assert body["present"]["channels"] == {"canary": NEW, "stable": OLD}
    assert body["present"]["approvals"] == []
    approved = await _ask(office, "approve")
    assert [(a["channel"], a["by"], a["because"]) for a in approved["approvals"]] == [
        ("stable", "function-key", "it breaks printing")
    ]
    assert (await _ask(office, "promote", b""))["channels"]["stable"] == NEW


async def test_nothing_is_approved_where_nobody_asks_for_it() -> None:
    body = await _ask(await _office(), "approve", status=409)
    assert body["type"] == "urn:assay:problem:no-approval-needed"


async def test_a_revoked_version_leaves_its_channels_and_comes_back_when_restored() -> None:
    office = await _office()
    revoked = await _ask(office, "revoke")
    assert revoked["channels"] == {"canary": OLD, "stable": OLD}
    assert revoked["state"] == "revoked"
    assert "ImageRevoked" in {a.name for a in office.outbox.announced}
    restored = await _ask(office, "restore")
    assert restored["channels"] == {"canary": NEW, "stable": OLD}
    assert restored["state"] == "released"


async def test_what_is_revoked_already_is_answered_with_409() -> None:
    office = await _office()
    await _ask(office, "revoke")
    body = await _ask(office, "revoke", status=409)
    assert body["present"]["state"] == "revoked"


async def test_the_last_good_version_goes_only_by_force() -> None:
    office = await _office()
    await _ask(office, "revoke", number=NEW)
    body = await _ask(office, "revoke", number=OLD, status=409)
    assert "has no latest" in body["detail"]
    forced = await _ask(office, "revoke", b'{"reason": "CVE", "force": true}', number=OLD)
    assert forced["channels"] == {"canary": None, "stable": None}


async def test_what_is_not_revoked_is_not_restored() -> None:
    body = await _ask(await _office(), "restore", status=409)
    assert body["present"]["state"] == "released"


async def test_a_version_a_channel_shows_is_not_retired() -> None:
    body = await _ask(await _office(), "retire", status=409)
    assert "cannot be retired" in body["detail"]


async def test_a_channel_is_rolled_back_once_however_often_the_same_request_comes() -> None:
    office = await _office()
    await _ask(office, "promote", b"")
    first = await _roll_back(office, key="k-1")
    again = await _roll_back(office, key="k-1")
    assert first["channels"]["stable"] == again["channels"]["stable"] == OLD
    assert (await _roll_back(office, key="k-2", status=409))["present"]["channels"]["stable"] == OLD


async def test_a_rollback_that_died_before_its_answer_is_not_made_twice() -> None:
    office = await _office()
    await _ask(office, "promote", b"")
    await _roll_back(office, key="k-1")
    office.receipts = type(office.receipts)()  # the answer was never kept
    assert (await _roll_back(office, key="k-1"))["channels"]["stable"] == OLD


async def test_a_channel_is_rolled_back_to_a_version_named() -> None:
    office = await _office()
    await _ask(office, "promote", b"")
    body = await _roll_back(office, b'{"reason": "slow", "version": "%s"}' % OLD.encode())
    assert body["channels"]["stable"] == OLD


@pytest.mark.parametrize("verb", ["approve", "revoke", "restore", "retire"])
async def test_these_moves_need_a_reason(verb: str) -> None:
    office = await _office()
    body = await _ask(office, verb, b"{}", status=400)
    assert [e["field"] for e in body["errors"]] == ["reason"]
    assert (await office.audit.list("images/ubuntu")).items == ()


@pytest.mark.parametrize("verb", ["promote", "approve", "revoke", "restore", "retire"])
async def test_a_version_that_is_not_there_is_not_moved(verb: str) -> None:
    body = await _ask(await _office(), verb, number="9.9.9", status=404)
    assert body["type"] == "urn:assay:problem:unknown-version"


async def test_a_revocation_to_come_says_from_when() -> None:
    office = await _office()
    body = await _ask(office, "revoke", b'{"reason": "r", "at": "2026-12-01T00:00:00Z"}')
    assert (body["state"], body["revoked_from"]) == (
        VersionState.RELEASED.value, "2026-12-01T00:00:00.000Z",
    )  # fmt: skip


async def test_a_time_without_zone_is_refused() -> None:
    office = await _office()
    body = await _ask(office, "revoke", b'{"reason": "r", "at": "2026-12-01T00:00:00"}', status=400)
    assert [e["field"] for e in body["errors"]] == ["at"]
