"""What is asked for is written down with who, why, before and after."""

from typing import Any

import pytest

from shared.domain.build import Phase
from shared.errors import RefusedError
from shared.messages import CleanUpBuild, StopBuild
from shared.ports import AuditEntry
from shared.web.audit import list_audit
from shared.web.cancel import cancel_build
from shared.web.parked import discard_parked, replay_parked
from shared.web.pausing import pause_image, resume_image
from shared.web.publish import publish_image
from tests.fakes.records import MemoryAudit
from tests.unit.web.office import Office
from tests.unit.web.samples import BASE, BUILD_ID, NOON_TEXT, build, parked, request

PRINCIPAL = "7b1f4b0e-8c4d-4a55-9f0e-3d0f1f0a7c11"
WHY = b'{"reason": "the source was withdrawn"}'


def _cancel(body: bytes = WHY, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(
        f"builds/{BUILD_ID}/cancel", method="POST", body=body, headers=given, id=BUILD_ID
    )


async def _audit(office: Office, scope: str = "images/ubuntu") -> list[AuditEntry]:
    return list((await office.audit.list(scope)).items)


async def test_a_build_under_way_is_cancelled() -> None:
    office = Office()
    await office.hold_build(build(Phase.QUEUED))
    body = await office.body(cancel_build, _cancel())
    assert (body["id"], body["phase"], body["finished"]) == (BUILD_ID, "cancelled", True)
    assert office.outbox.commands == [
        CleanUpBuild(build_id=BUILD_ID), StopBuild(build_id=BUILD_ID),
    ]  # fmt: skip
    [announced] = office.outbox.announced
    assert announced.name == "BuildCancelled"
    assert announced.data["reason"] == "cancelled by function-key: the source was withdrawn"


async def test_cancelling_again_changes_nothing() -> None:
    office = Office()
    await office.hold_build(build(Phase.QUEUED))
    first = await office.body(cancel_build, _cancel())
    again = await office.body(cancel_build, _cancel())
    assert again == first
    [stored] = (await office.builds.list()).items
    assert [t.new for t in stored.history if t.new == "cancelled"] == ["cancelled"]
    assert len({a.event_id for a in office.outbox.announced}) == 1


@pytest.mark.parametrize("phase", [Phase.RELEASED, Phase.REJECTED, Phase.FAILED, Phase.PUBLISHING])
async def test_a_build_past_cancelling_answers_its_phase(phase: Phase) -> None:
    office = Office()
    await office.hold_build(build(phase))
    body = await office.body(cancel_build, _cancel(), status=409)
    assert body["type"] == "urn:assay:problem:build-not-cancellable"
    assert body["present"] == {"phase": phase.value, "finished": phase is not Phase.PUBLISHING}
    [entry] = await _audit(office)
    assert (entry.outcome, entry.before["phase"], entry.after) == ("refused", phase.value, None)
    assert office.outbox.sent == []


@pytest.mark.parametrize("body", [b"", b"{}", b'{"reason": " "}', b'{"reason": 3}'])
async def test_a_move_that_needs_a_reason_does_nothing_without(body: bytes) -> None:
    office = Office()
    await office.hold_build(build(Phase.QUEUED))
    answer = await office.body(cancel_build, _cancel(body), status=400)
    assert [e["field"] for e in answer["errors"]] == ["reason"]
    assert await _audit(office) == []


async def test_a_reason_has_at_most_500_characters() -> None:
    office = Office()
    await office.hold_build(build(Phase.QUEUED))
    assert (await office.ask(cancel_build, _cancel(b'{"reason": "%s"}' % (b"x" * 501)))).status == (
        400
    )
    assert (await office.ask(cancel_build, _cancel(b'{"reason": "%s"}' % (b"x" * 500)))).status == (
        200
    )


async def test_the_audit_says_who_what_why_before_and_after() -> None:
    office = Office()
    office.settings.signs_in = True
    await office.hold_build(build(Phase.QUEUED))
    await office.ask(cancel_build, _cancel(x_ms_client_principal_id=PRINCIPAL))
    body = await office.body(list_audit, request("audit", query={"image": "ubuntu"}))
    [item] = body["items"]
    assert item.pop("id")
    assert item == {
        "at": NOON_TEXT,
        "who": PRINCIPAL,
        "what": "cancel",
        "why": "the source was withdrawn",
        "subject": f"builds/{BUILD_ID}",
        "url": f"{BASE}/builds/{BUILD_ID}",
        "outcome": "done",
        "detail": None,
        "before": {"phase": "queued", "attempt": None, "version": None},
        "after": {"phase": "cancelled", "attempt": None, "version": None},
        "correlation_id": "c-1",
    }


async def test_a_caller_cannot_make_up_who_he_is_where_nobody_signs_in() -> None:
    office = Office()
    await office.hold_build(build(Phase.QUEUED))
    await office.ask(cancel_build, _cancel(x_ms_client_principal_id=PRINCIPAL))
    [entry] = await _audit(office)
    assert entry.who == "function-key"


async def test_publishing_is_audited_and_the_build_knows_who_asked() -> None:
    office = Office()
    office.settings.signs_in = True
    asked = request(
        "images/ubuntu/publish",
        method="POST",
        headers={"x-ms-client-principal-id": PRINCIPAL},
        body=b'{"reason": "CVE-2026-1"}',
        name="ubuntu",
    )
    await office.body(publish_image, asked, status=202)
    [entry] = await _audit(office)
    assert (entry.what, entry.who, entry.why) == ("publish", PRINCIPAL, "CVE-2026-1")
    assert entry.before == {"newest_build": None, "phase": None}
    assert entry.after == {"newest_build": BUILD_ID, "phase": "queued"}
    [stored] = (await office.builds.list()).items
    assert stored.requested_by == PRINCIPAL


async def test_a_pause_is_made_seen_and_ended() -> None:
    office = Office()

    async def ask(handler: Any, body: bytes) -> Any:
        asked = request("images/ubuntu/pause", method="POST", body=body, name="ubuntu")
        return await office.body(handler, asked)

    paused = await ask(pause_image, WHY)
    again = await ask(pause_image, WHY)
    resumed = await ask(resume_image, b"")
    assert paused == again
    assert (paused["paused"], paused["paused_by"]) == (True, "function-key")
    assert (resumed["paused"], resumed["paused_why"]) == (False, None)
    entries = await _audit(office)
    found = sorted(e.before["paused"] for e in entries if e.what == "pause")
    assert found == [False, True]
    [ended] = [e for e in entries if e.what == "resume"]
    assert ended.before["paused"] is True
    assert ended.after == {
        "paused": False, "paused_at": None, "paused_by": None, "paused_why": None, "failures": 0,
    }  # fmt: skip
    names = [a.name for a in office.outbox.announced]
    assert set(names) == {"DefinitionPaused", "DefinitionResumed"}


async def test_an_image_that_is_not_there_is_not_paused() -> None:
    office = Office()
    asked = request("images/x/pause", method="POST", body=WHY, name="x")
    assert (await office.ask(pause_image, asked)).status == 404


async def test_replay_and_discard_are_audited_apart_from_images() -> None:
    office = Office()
    await office.parked.park(parked("m1"))
    await office.parked.park(parked("m2"))
    for handler, number in ((replay_parked, "m1"), (discard_parked, "m2")):
        await office.ask(handler, request(f"messages/parked/{number}", method="POST", id=number))
    entries = await _audit(office, "messages")
    assert {(e.what, e.subject) for e in entries} == {
        ("replay", "messages/parked/m1"), ("discard", "messages/parked/m2"),
    }  # fmt: skip
    body = await office.body(list_audit, request("audit"))
    assert len(body["items"]) == 2


class FullAudit(MemoryAudit):
    """An audit that takes nothing."""

    async def write(self, entry: AuditEntry) -> None:
        raise RefusedError("table Audit cannot be written")


async def test_what_cannot_be_written_down_is_not_done() -> None:
    office = Office(audit=FullAudit())
    await office.hold_build(build(Phase.QUEUED))
    assert (await office.ask(cancel_build, _cancel())).status == 502
    [stored] = (await office.builds.list()).items
    assert stored.phase is Phase.QUEUED


class DyingAudit(MemoryAudit):
    """An audit in a process that dies before it can say what came of a move."""

    async def write(self, entry: AuditEntry) -> None:
        if entry.outcome != "asked":
            raise KeyboardInterrupt
        await super().write(entry)


async def test_a_move_that_dies_half_way_is_in_the_audit_and_its_repeat_ends_it() -> None:
    office = Office(audit=DyingAudit())
    await office.hold_build(build(Phase.QUEUED))
    asked = _cancel(idempotency_key="k-1")
    with pytest.raises(KeyboardInterrupt):
        await office.ask(cancel_build, asked)
    [entry] = await _audit(office)
    assert (entry.outcome, entry.after) == ("asked", None)
    office.audit = MemoryAudit()
    assert (await office.body(cancel_build, asked))["phase"] == "cancelled"
    [stored] = (await office.builds.list()).items
    assert [t.new for t in stored.history].count("cancelled") == 1
