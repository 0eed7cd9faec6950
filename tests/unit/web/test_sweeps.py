"""Sweeps and subscriptions over the API."""

from datetime import timedelta

from shared.domain.subscription import Subscription
from shared.domain.sweep import Sweep, SweepBatch, SweepOutcome, SweepState, Tally
from shared.errors import ThrottledError
from shared.messages import SweepFleet, SweepSubscriptions
from shared.ports import Stored
from shared.web.health import check_health
from shared.web.sweeps import get_sweep, list_subscriptions, list_sweeps, start_sweep
from tests.fakes.fleet import SUBSCRIPTION
from tests.unit.web.office import Office
from tests.unit.web.samples import BASE, HOUR_AGO, HOUR_AGO_TEXT, NOON, NOON_TEXT, request

WHY = b'{"reason": "Event Grid was down"}'


async def hold_sweep(office: Office, sweep_id: str, **changes: object) -> None:
    sweep = Sweep(id=sweep_id, asked_by="timer", began_at=HOUR_AGO, subscriptions=1, batches=1)
    batch = SweepBatch(
        sweep_id=sweep_id,
        number=0,
        subscriptions=(SUBSCRIPTION,),
        first=(),
        began_at=HOUR_AGO,
        moved_at=HOUR_AGO,
        pages=3,
        tally=Tally(rows=7, unchanged=6),
    )
    if changes:
        sweep = sweep.end(SweepOutcome.DONE, now=NOON)
    await office.sweeps.save(Stored(sweep))
    await office.sweeps.save_batch(Stored(batch))
    await office.sweeps.count(sweep_id, "p", Tally(changed=1, missed=1))


async def test_a_sweep_says_what_it_counted() -> None:
    office = Office()
    await hold_sweep(office, "s", done=True)

    body = await office.body(get_sweep, request("sweeps/s", id="s"))

    counters = {name: n for name, n in body.pop("vms").items() if n}
    assert counters == {"rows": 7, "unchanged": 6, "changed": 1, "missed": 1}
    assert body == {
        "id": "s",
        "asked_by": "timer",
        "outcome": "done",
        "why": None,
        "began_at": HOUR_AGO_TEXT,
        "ended_at": NOON_TEXT,
        "subscriptions": 1,
        "unreadable_subscriptions": 0,
        "pages": 3,
        "restarts": 0,
        "url": f"{BASE}/sweeps/s",
        "batches": [
            {
                "number": 0,
                "outcome": "running",
                "why": None,
                "moved_at": HOUR_AGO_TEXT,
                "ended_at": None,
                "pages": 3,
                "restarts": 0,
                "rows": 7,
                "subscriptions": [SUBSCRIPTION],
                "swept_first": [],
            }
        ],
        "as_of": NOON_TEXT,
    }


async def test_sweeps_are_listed_without_their_batches() -> None:
    office = Office()
    await hold_sweep(office, "s")

    body = await office.body(list_sweeps, request("sweeps"))

    (item,) = body["items"]
    assert (item["id"], item["outcome"]) == ("s", "running")
    assert "batches" not in item


async def test_an_unknown_sweep_is_not_found() -> None:
    body = await Office().body(get_sweep, request("sweeps/x", id="x"), status=404)

    assert (body["type"], body["sweeps_url"]) == (
        "urn:assay:problem:unknown-sweep",
        f"{BASE}/sweeps",
    )


async def test_a_list_longer_than_a_hundred_sweeps_is_refused() -> None:
    asked = request("sweeps", query={"limit": "101"})

    assert (await Office().ask(list_sweeps, asked)).status == 400


async def test_a_sweep_begins_when_asked_for_and_is_in_the_audit() -> None:
    office = Office()

    body = await office.body(start_sweep, request("sweeps", method="POST", body=WHY), status=202)

    assert (body["outcome"], body["asked_by"], body["reused"]) == (
        "running", "function-key", False,
    )  # fmt: skip
    queued, first_page = office.outbox.commands
    assert queued == SweepFleet(sweep_id=body["id"], asked_by="function-key")
    assert isinstance(first_page, SweepSubscriptions)
    asked, done = (await office.audit.list("messages")).items, body["id"]
    assert {(e.what, e.subject, e.why) for e in asked} == {
        ("sweep", f"sweeps/{done}", "Event Grid was down")
    }


async def test_a_second_request_gets_the_sweep_under_way() -> None:
    office = Office()
    asked = request("sweeps", method="POST")
    first = await office.body(start_sweep, asked, status=202)

    second = await office.body(start_sweep, asked, status=202)

    assert (second["id"], second["reused"]) == (first["id"], True)


async def test_the_same_key_names_the_same_sweep_even_when_it_is_over() -> None:
    office = Office()
    asked = request("sweeps", method="POST", headers={"idempotency-key": "k"})
    first = await office.body(start_sweep, asked, status=202)
    stored = await office.sweeps.get(first["id"])
    assert stored is not None
    ended = stored.value.end(SweepOutcome.DONE, now=NOON)
    await office.sweeps.save(Stored(ended, stored.etag))
    office.receipts = type(office.receipts)()  # the answer was never kept

    second = await office.body(start_sweep, asked, status=202)

    assert (second["id"], second["outcome"]) == (first["id"], "done")


async def test_a_throttled_request_says_so_and_the_sweep_begins_from_the_queue() -> None:
    office = Office()
    office.resource_graph.fail_next("subscriptions", ThrottledError("no query left"))

    response = await office.ask(start_sweep, request("sweeps", method="POST"))

    assert response.status == 429
    (queued,) = office.outbox.commands
    assert isinstance(queued, SweepFleet)


async def test_subscriptions_say_what_keeps_us_from_reading_them() -> None:
    office = Office()
    good = Subscription(subscription_id="a", management_groups=("shop", "root"), swept_at=NOON)
    bad = Subscription(subscription_id="b").troubled("403", now=HOUR_AGO)
    for one in (good, bad):
        await office.subscriptions.save(Stored(one))

    everything = await office.body(list_subscriptions, request("subscriptions"))
    troubled = await office.body(
        list_subscriptions, request("subscriptions", query={"troubled": "true"})
    )

    assert everything["items"] == [
        {
            "id": "a",
            "management_groups": ["shop", "root"],
            "problem": None,
            "since": None,
            "policy_problem": None,
            "swept_at": NOON_TEXT,
            "vms_url": f"{BASE}/vms?subscription=a",
        },
        *troubled["items"],
    ]
    assert [(s["problem"], s["since"]) for s in troubled["items"]] == [("403", HOUR_AGO_TEXT)]


async def test_health_is_degraded_when_a_subscription_cannot_be_read() -> None:
    office = Office()
    state = SweepState(last="s", last_began_at=HOUR_AGO, subscriptions=7)
    await office.sweeps.save_state(Stored(state))
    healthy = await office.body(check_health, request("health"))
    await office.subscriptions.save(
        Stored(Subscription(subscription_id="b").troubled("403", now=NOON))
    )

    degraded = await office.body(check_health, request("health"))

    assert (healthy["status"], healthy["fleet"]) == (
        "healthy",
        {"subscriptions": 7, "unreadable": 0, "last_sweep_at": HOUR_AGO_TEXT, "problem": None},
    )
    assert (degraded["status"], degraded["fleet"]["unreadable"]) == ("degraded", 1)
    assert "troubled" in degraded["fleet"]["problem"]


async def test_health_is_degraded_when_policy_states_cannot_be_read() -> None:
    office = Office()
    barred = Subscription(subscription_id="b", policy_problem="403")
    await office.subscriptions.save(Stored(barred))

    degraded = await office.body(check_health, request("health"))
    listed = await office.body(
        list_subscriptions, request("subscriptions", query={"troubled": "true"})
    )

    assert (degraded["status"], degraded["fleet"]["unreadable"]) == ("degraded", 1)
    assert [(s["problem"], s["policy_problem"]) for s in listed["items"]] == [(None, "403")]


async def test_health_is_degraded_when_no_sweep_was_ever_done_a_day_after_the_first() -> None:
    office = Office()
    state = SweepState(first_began_at=NOON - timedelta(hours=26))
    await office.sweeps.save_state(Stored(state))

    body = await office.body(check_health, request("health"))

    assert (body["status"], body["fleet"]["last_sweep_at"]) == ("degraded", None)


async def test_health_is_degraded_when_no_sweep_was_done_for_more_than_a_day() -> None:
    office = Office()
    state = SweepState(last="s", last_began_at=NOON - timedelta(hours=26))
    await office.sweeps.save_state(Stored(state))

    body = await office.body(check_health, request("health"))

    assert body["status"] == "degraded"
    assert "more than a day" in body["fleet"]["problem"]
