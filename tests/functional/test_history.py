"""The past of a VM, asked over HTTP; every message delivered twice."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from localcloud.environment import TEAMS_SUBSCRIPTION
from localcloud.scenario.machines import UBUNTU, Machine
from shared.domain.history import Transition
from shared.domain.subscription import Subscription
from shared.ports import Stored, VmEntry
from shared.records.records import Records
from shared.settings import Storage
from tests.functional.conftest import Json, LocalAssay
from tests.unit.domain.pasts import a_record

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASSIGNMENT = (
    f"/subscriptions/{TEAMS_SUBSCRIPTION}/providers/Microsoft.Authorization"
    "/policyAssignments/golden-images-only"
)
LONG_AGO = datetime.now(UTC) - timedelta(days=5 * 365)
VM = Machine(name="ledger", team="shop", image=UBUNTU)


async def ask(local: LocalAssay, path: str, **query: str) -> Json:
    address = f"/api/v1/history/{path}" + (f"?{urlencode(query)}" if query else "")
    return dict(await local.assay.http.call("GET", address))


async def refused(
    local: LocalAssay, path: str, *, accept: str = "*/*", **query: str
) -> tuple[int, Json]:
    address = f"{local.host.base_url}/api/v1/history/{path}?{urlencode(query)}"
    async with local.http.get(address, headers={"Accept": accept}) as answer:
        return answer.status, await answer.json(content_type=None)


def changes(body: Json, what: str) -> list[tuple[str, str]]:
    """Return the lines about one fact as (from, to), newest first."""
    return [(i["from"], i["to"]) for i in body["items"] if i["what"] == what]


async def test_a_vm_goes_out_of_policy_and_comes_back_and_moves_to_another_team(
    local: LocalAssay,
) -> None:
    await local.azure.deploy(VM.id, VM.body())
    await local.vm("ledger", team="shop")
    await local.simulation.policy_says(VM.id, ASSIGNMENT, "NonCompliant")
    await local.vm("ledger", policy="noncompliant")
    await local.simulation.policy_says(VM.id, ASSIGNMENT, "Compliant")
    await local.vm("ledger", policy="compliant")
    await local.azure.deploy(VM.id, {**VM.body(), "tags": {"team": "payments"}})

    vm = await local.vm("ledger", team="payments", policy="compliant")

    lines = await ask(local, f"vms/{vm['key']}")
    assert changes(lines, "policy") == [("noncompliant", "compliant"), ("", "noncompliant")]
    assert changes(lines, "team") == [("shop", "payments")]
    numbers = [i["number"] for i in lines["items"]]
    assert numbers == list(range(len(numbers), 0, -1))


async def test_the_time_out_of_policy_is_told_by_key_and_by_resource_id(local: LocalAssay) -> None:
    key = (await local.vm("ledger"))["key"]
    for named in (key, VM.id.strip("/"), quote(VM.id, safe="")):
        stood = (await ask(local, f"compliance/{named}"))["policy"]
        (out,) = stood["out"]
        assert (stood["ever_out"], out["value"]) == (True, "noncompliant")
        assert stood["out_seconds"] == out["seconds"] > 0
        assert out["because"] == "policy assignment golden-images-only says noncompliant"
    by_verdict = (await ask(local, f"compliance/{key}"))["verdict"]
    assert [(o["value"], o["to"]) for o in by_verdict["out"]] == [("unapproved", None)]


async def test_what_was_true_while_it_was_out_of_policy(local: LocalAssay) -> None:
    vm = await local.vm("ledger")
    (out,) = (await ask(local, f"compliance/{vm['key']}"))["policy"]["out"]
    then = await ask(local, f"states/{vm['key']}", at=out["from"])
    before = await ask(local, f"states/{vm['key']}", at="2020-01-01T00:00:00Z")
    assert then["presence"] == "present"
    assert {f: then["facts"][f]["value"] for f in ("team", "policy", "verdict")} == {
        "team": "shop",
        "policy": "noncompliant",
        "verdict": "unapproved",
    }
    assert then["facts"]["team"]["until"] is not None
    assert before["presence"] == "not-seen"


async def test_both_teams_and_the_image_have_the_move_in_their_histories(local: LocalAssay) -> None:
    async def told() -> bool | None:
        histories = [
            await ask(local, f"teams/{team}", what="team") for team in ("shop", "payments")
        ]
        moves = [changes(h, "team") for h in histories]
        return True if moves == [[("shop", "payments")]] * 2 else None

    await local.until(told, "the move in both histories")
    image = (await local.vm("ledger"))["image"]["id"]
    assert changes(await ask(local, f"images/{image}"), "team") == [("shop", "payments")]
    kept = await ask(local, "teams/shop", what="policy")
    assert len(kept["items"]) == 2


async def test_a_history_is_read_page_by_page_as_csv(local: LocalAssay) -> None:
    address: str | None = f"{local.host.base_url}/api/v1/history/teams/shop?limit=2"
    rows: list[dict[str, str]] = []
    while address:
        async with local.http.get(address, headers={"Accept": "text/csv"}) as answer:
            assert answer.content_type == "text/csv"
            rows += csv.DictReader(io.StringIO(await answer.text(), newline=""))
            following = answer.links.get("next")
            address = str(following["url"]) if following else None
    whole = await ask(local, "teams/shop")
    assert [(r["key"], int(r["number"])) for r in rows] == [
        (i["key"], i["number"]) for i in whole["items"]
    ]


async def test_what_cannot_be_answered_is_refused(local: LocalAssay) -> None:
    key = (await local.vm("ledger"))["key"]
    future = datetime.now(UTC).replace(year=2999).isoformat()
    for query in ({"at": "2026-01-01T00:00:00"}, {"at": "soon"}, {"at": future}, {}):
        status, problem = await refused(local, f"states/{key}", **query)
        assert (status, [e["field"] for e in problem["errors"]]) == (400, ["at"])
    backwards = {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    assert (await refused(local, f"compliance/{key}", **backwards))[0] == 400
    assert (await refused(local, "teams/shop", cursor="x"))[0] == 400
    assert (await refused(local, "teams/shop", accept="text/html"))[0] == 406
    assert (await refused(local, "vms/nobody"))[0] == 404
    assert (await refused(local, "images/nobody"))[0] == 404


async def test_the_weekly_walk_trims_old_histories_and_forgets_who_is_long_gone(
    local: LocalAssay,
) -> None:
    ledger = await ask(local, f"vms/{(await local.vm('ledger'))['key']}")
    records = Records(Storage(connection_string=local.storage))
    try:
        await hold(records, "old")
        await hold(records, "gone", deleted_at=LONG_AGO)
    finally:
        await records.close()
    key, gone = (f"{TEAMS_SUBSCRIPTION}.{name}" for name in ("old", "gone"))
    assert len((await ask(local, "teams/museum"))["items"]) == 6
    assert (await ask(local, f"compliance/{key}"))["verdict"]["ever_out"] is True

    await local.assay.http.call("POST", "/admin/functions/look_after_history", {"input": ""})

    async def trimmed() -> Json | None:
        histories = [await refused(local, f"vms/{k}") for k in (key, gone)]
        (_, lines), (status, _) = histories
        return lines if status == 404 and len(lines["items"]) == 2 else None

    lines = await local.until(trimmed, "the old history trimmed, the other one forgotten")
    assert [i["number"] for i in lines["items"]] == [3, 1]
    team = await ask(local, "teams/museum")
    assert [(i["key"], i["number"]) for i in team["items"]] == [(key, 3), (key, 1)]
    then = await ask(local, f"states/{key}", at=LONG_AGO.isoformat())
    assert then["facts"]["verdict"] is None
    assert (await ask(local, f"compliance/{key}"))["verdict"]["ever_out"] is None
    assert (await ask(local, f"vms/{ledger['items'][0]['key']}"))["items"] == ledger["items"]
    assert await local.assay.parked() == []


async def hold(records: Records, name: str, **changes: Any) -> None:
    """Put a VM into the register that was first seen five years ago."""
    key = f"{TEAMS_SUBSCRIPTION}.{name}"
    record = a_record(
        key=key,
        resource_id=f"/subscriptions/{TEAMS_SUBSCRIPTION}/{name}",
        name=name,
        subscription_id=TEAMS_SUBSCRIPTION,
        team="museum",
        first_seen_at=LONG_AGO,
        transitions=3,
        **changes,
    )
    lines = [
        Transition(what=what, old=old, new=new, at=LONG_AGO + timedelta(days=days), because="event")
        for days, what, old, new in (
            (0, "first-seen", "", "an image"),
            (0, "verdict", "", "aged"),
            (1, "verdict", "aged", "current"),
        )
    ]
    known = await records.subscriptions.get(TEAMS_SUBSCRIPTION)
    if known is None:
        await records.subscriptions.save(Stored(Subscription(subscription_id=TEAMS_SUBSCRIPTION)))
    await records.vms.save(await records.vms.get(key), VmEntry(key=key, record=record), lines)
