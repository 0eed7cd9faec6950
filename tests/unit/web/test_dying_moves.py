"""A request may die at any call; its repeat under the same key ends in the same state."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.domain.build import Phase
from shared.domain.channel import MoveKind
from shared.web import releases
from shared.web.cancel import cancel_build
from shared.web.exchange import ApiRequest
from shared.web.handler import Handler
from shared.web.pausing import pause_image
from shared.web.publish import publish_image
from tests.fakes.world import Crashes, KilledError, Mortal
from tests.unit.web.office import Office
from tests.unit.web.samples import BUILD_ID, build, request
from tests.unit.web.test_releases import NEW, OLD, _office

PORTS = ("builds", "image_versions", "audit", "receipts", "vms", "gallery", "outbox")
type Case = tuple[str, Handler, ApiRequest, Callable[[Office], Awaitable[object]]]


def _post(path: str, body: bytes = b'{"reason": "r"}', **route: Any) -> ApiRequest:
    return request(path, method="POST", body=body, headers={"idempotency-key": "k"}, **route)


async def _stable(office: Office) -> object:
    stored = await office.others.channels.get("ubuntu")
    assert stored is not None
    moves = stored.value.channel("stable").moves
    return [(m.kind, m.new) for m in moves[1:]]


async def _canary(office: Office) -> object:
    stored = await office.others.channels.get("ubuntu")
    assert stored is not None
    return stored.value.channel("canary").version, len(stored.value.revocations)


async def _build(office: Office) -> object:
    [stored] = (await office.builds.list()).items
    return stored.phase, [t.new for t in stored.history].count("cancelled")


async def _builds(office: Office) -> object:
    return len((await office.builds.list()).items)


async def _pauses(office: Office) -> object:
    stored = await office.others.definition_states.get("ubuntu")
    assert stored is not None
    return stored.value.paused, len(stored.value.history)


CASES: tuple[tuple[str, Handler, ApiRequest, Any, object], ...] = (
    (
        "promote", releases.promote_version,
        _post(f"images/ubuntu/versions/{NEW}/promote", name="ubuntu", version=NEW),
        _stable, [(MoveKind.PROMOTED, NEW)],
    ),
    (
        "revoke", releases.revoke_version,
        _post(f"images/ubuntu/versions/{NEW}/revoke", name="ubuntu", version=NEW),
        _canary, (OLD, 1),
    ),
    (
        "cancel", cancel_build, _post(f"builds/{BUILD_ID}/cancel", id=BUILD_ID),
        _build, (Phase.CANCELLED, 1),
    ),
    (
        "pause", pause_image, _post("images/ubuntu/pause", name="ubuntu"),
        _pauses, (True, 1),
    ),
    (
        "publish", publish_image,
        _post("images/ubuntu/publish", b'{"force": true, "reason": "r"}', name="ubuntu"),
        _builds, 2,
    ),
)  # fmt: skip


async def _new_office() -> Office:
    office = await _office()
    await office.hold_build(build(Phase.QUEUED))
    return office


def _mortal(office: Office, crashes: Crashes) -> None:
    for name in PORTS:
        setattr(office, name, Mortal(getattr(office, name), crashes))
    office.others.channels = Mortal(office.others.channels, crashes)  # type: ignore[assignment]
    states = Mortal(office.others.definition_states, crashes)
    office.others.definition_states = states  # type: ignore[assignment]


@pytest.mark.parametrize(("what", "handler", "asked", "look", "wanted"), CASES, ids=lambda c: c)
async def test_a_move_that_dies_at_any_call_is_made_once_by_its_repeat(
    what: str, handler: Handler, asked: ApiRequest, look: Any, wanted: object
) -> None:
    whole = Crashes()
    office = await _new_office()
    _mortal(office, whole)
    first = await office.ask(handler, asked)
    calls = whole.calls
    assert first.status in (200, 202), (what, first.body)
    assert await look(office) == wanted
    sent = {type(c) for c in office.outbox.commands}
    for number in range(1, calls + 1):
        office = await _new_office()
        crashes = Crashes(at=number)
        _mortal(office, crashes)
        with pytest.raises(KilledError):
            await office.ask(handler, asked)
        again = await office.ask(handler, asked)
        assert again.status == first.status, number
        assert await look(office) == wanted, number
        assert {type(c) for c in office.outbox.commands} == sent, number
        entries = (await office.audit.list("images/ubuntu")).items
        assert {e.what for e in entries} <= {what}
        if not again.headers.get("Idempotency-Replayed"):
            assert "done" in {e.outcome for e in entries}, number
