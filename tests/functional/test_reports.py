"""Reports over real VMs on the whole product; every queue message is delivered twice."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from localcloud.scenario.machines import UBUNTU, Machine
from shared.messages import Envelope, TakeSnapshot, encode
from tests.functional.conftest import Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

THIS_HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR = timedelta(hours=1)


async def ask(
    local: LocalAssay, method: str, path: str, body: Json | None = None, **headers: str
) -> tuple[int, str, dict[str, str]]:
    url = f"{local.host.base_url}/api/v1/{path}"
    async with local.http.request(method, url, json=body, headers=headers) as response:
        return response.status, await response.text(), dict(response.headers)


async def read(local: LocalAssay, path: str) -> Json:
    status, text, _ = await ask(local, "GET", path)
    assert status == 200, text
    return dict(json.loads(text))


async def deploy(local: LocalAssay, name: str, team: str) -> None:
    machine = Machine(name=name, team=team, image=UBUNTU)
    await local.azure.deploy(machine.id, machine.body())
    await local.vm(name, verdict="unapproved")


async def snapshot_at(local: LocalAssay, at: datetime) -> Json:
    """Take the snapshot of an hour, and return the summary once it is that one."""
    await local.put(
        "take-snapshot", encode(Envelope(command=TakeSnapshot(at=at), correlation_id="c"))
    )
    return await summary_of(local, at)


async def summary_of(local: LocalAssay, at: datetime) -> Json:
    wanted = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    async def look() -> Json | None:
        status, text, _ = await ask(local, "GET", "reports/summary")
        body = json.loads(text)
        return body if status == 200 and body["at"] == wanted else None

    return await local.until(look, f"the snapshot of {wanted}")


async def test_before_the_first_snapshot_there_are_no_numbers(local: LocalAssay) -> None:
    status, text, _ = await ask(local, "GET", "reports/summary")

    assert (status, json.loads(text)["type"]) == (404, "urn:assay:problem:unknown-snapshot")


async def test_snapshots_of_real_vms_become_a_summary_and_a_trend(local: LocalAssay) -> None:
    await deploy(local, "web-1", "shop")
    await snapshot_at(local, THIS_HOUR - HOUR)
    await deploy(local, "web-2", "shop")
    await deploy(local, "pay-1", "=pay")
    await local.assay.http.call("POST", "/admin/functions/look_at_numbers", {"input": ""})

    whole = await summary_of(local, datetime.now(UTC).replace(minute=0, second=0, microsecond=0))

    assert whole["vms"] == 3
    assert whole["by"]["team"] == {"shop": {"unapproved": 2}, "=pay": {"unapproved": 1}}
    shop = await read(local, "reports/summary?team=shop")
    assert (shop["vms"], shop["by"]["kind"]) == (2, {"pet": {"unapproved": 2}})
    trend = await read(local, "reports/trend?by=team&grain=hour")
    assert [p["vms"] for p in trend["points"]] == [1, 3]
    by_day = await read(local, "reports/trend?by=verdict&grain=day")
    assert by_day["points"][0]["values"] == {"unapproved": {"unapproved": 1}}
    status, text, headers = await ask(
        local, "GET", "reports/trend?by=team&grain=hour", Accept="text/csv"
    )
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert status == 200
    assert headers["Content-Type"].startswith("text/csv")
    assert ("'=pay", "unapproved", "1") in [(r["value"], r["verdict"], r["vms"]) for r in rows]


async def test_what_is_overdue_is_listed_with_what_to_do(local: LocalAssay) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=45)).strftime("%Y-%m-%dT%H:%M:%SZ")

    now = await read(local, "reports/overdue?team=shop")
    then = await read(local, f"reports/overdue?team=shop&limit=1&as_of={ahead}")
    following = await read(local, then["next"].partition("/api/v1/")[2])

    assert now["items"] == []
    items = [*then["items"], *following["items"]]
    assert sorted(i["name"] for i in items) == ["web-1", "web-2"]
    assert {i["days_overdue"] for i in items} <= {14, 15}
    assert {i["rule"] for i in items} == {"image-not-ours"}
    assert all("redeploy" in i["what_to_do"] for i in items)


async def finished(local: LocalAssay, url: str) -> Json:
    async def look() -> Json | None:
        export = await read(local, url)
        return export if export["state"] == "finished" else None

    return await local.until(look, f"the end of {url}")


@pytest.mark.parametrize("accept", ["text/csv", "application/json", "application/x-ndjson"])
async def test_an_export_is_downloaded_from_storage(local: LocalAssay, accept: str) -> None:
    status, text, headers = await ask(
        local, "POST", "exports", {"what": "vms"}, Accept=accept, **{"Idempotency-Key": accept}
    )
    assert status == 202, text
    path = headers["Location"].partition("/api/v1/")[2]
    export = await finished(local, path)

    url = f"{local.host.base_url}/api/v1/{path}/file"
    async with local.http.get(url, allow_redirects=False) as redirect:
        assert redirect.status == 302
    async with local.http.get(url) as response:
        content = await response.read()

    assert response.history[0].status == 302
    assert response.headers["Content-Type"].startswith(accept)
    assert (len(content), export["rows"]) == (export["bytes"], 3)
    rows = parsed(content.decode(), accept)
    assert sorted(row["name"] for row in rows) == ["pay-1", "web-1", "web-2"]
    teams = {row["name"]: row["team"] for row in rows}
    assert teams["pay-1"] == ("'=pay" if accept == "text/csv" else "=pay")
    assert all(datetime.fromisoformat(row["first_seen_at"]).tzinfo for row in rows)


def parsed(text: str, media_type: str) -> list[Json]:
    if media_type == "text/csv":
        return list(csv.DictReader(io.StringIO(text, newline="")))
    if media_type == "application/json":
        return list(json.loads(text))
    return [json.loads(line) for line in text.splitlines()]


async def test_exports_that_cannot_be_are_refused(local: LocalAssay) -> None:
    bad = await ask(local, "POST", "exports", {"what": "everything"})
    form = await ask(local, "POST", "exports", {"what": "vms"}, Accept="application/pdf")
    unknown = await ask(local, "GET", "exports/none/file")

    assert [bad[0], form[0], unknown[0]] == [400, 406, 404]
    assert json.loads(bad[1])["errors"][0]["field"] == "what"
    assert form[2]["Vary"] == "Accept"
