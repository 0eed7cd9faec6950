"""How the API shows what Azure Policy says of VMs, and what sweeps found."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.policy_recovery import Found
from shared.domain.policy_sweep import PolicySweep
from shared.domain.vm_record import PolicyState
from shared.ports import Stored
from shared.web.api import get_vm, list_vms
from shared.web.policy_sweeps import list_policy_sweeps
from tests.unit.web.office import Office
from tests.unit.web.samples import NOON, NOON_TEXT, POLICY_STATE, VM_KEY, request, vm


def state(says: str, *, hours_ago: float, assignment: str, **more: object) -> PolicyState:
    return replace(
        POLICY_STATE,
        state=says,
        timestamp=NOON - timedelta(hours=hours_ago),
        assignment_id=assignment,
        **more,  # type: ignore[arg-type]
    )


async def test_a_vm_shows_which_states_are_stale_and_from_what_it_is_exempt() -> None:
    office = Office()
    states = (
        state("compliant", hours_ago=48, assignment="/a/1"),
        state("exempt", hours_ago=48.1, assignment="/a/2", reason_code="Waiver"),
        state("compliant", hours_ago=1, assignment="/a/3", about="gc"),
        state("", hours_ago=90, assignment="/a/4", deleted=True),
        state("exempt", hours_ago=90, assignment="/a/5", deleted=True),
    )
    seen = NOON - timedelta(hours=48.1)
    await office.hold_vm(replace(vm(), policy="compliant", policy_as_of=seen), *states)

    body = await office.body(get_vm, request(f"vms/{VM_KEY}", key=VM_KEY))

    shown = [
        (s["assignment_id"], s["about"], s["exempt"], s["reason_code"], s["stale"])
        for s in body["policy_states"]
    ]
    assert shown == [
        ("/a/1", None, False, None, False),
        ("/a/2", None, True, "Waiver", True),
        ("/a/3", "gc", False, None, False),
        ("/a/4", None, False, None, False),
        ("/a/5", None, False, None, False),
    ]
    assert body["exemptions"] == ["/a/2"]
    assert (body["policy"], body["policy_stale"]) == ("compliant", True)


async def test_lists_say_how_old_the_word_of_azure_policy_is() -> None:
    office = Office()
    await office.hold_vm(replace(vm(), policy="compliant", policy_as_of=NOON - timedelta(hours=49)))
    item = (await office.body(list_vms, request("vms")))["items"][0]
    assert (item["policy_as_of"], item["policy_stale"]) == ("2026-11-20T11:00:00.000Z", True)

    office.fleet_policy = replace(office.fleet_policy, policy_stale_after=timedelta(hours=49))
    item = (await office.body(list_vms, request("vms")))["items"][0]
    assert item["policy_stale"] is False


async def test_a_vm_of_which_nothing_was_said_is_not_stale() -> None:
    office = Office()
    await office.hold_vm(replace(vm(), policy="", policy_as_of=None))
    item = (await office.body(list_vms, request("vms")))["items"][0]
    assert (item["policy"], item["policy_as_of"], item["policy_stale"]) == (None, None, False)


async def test_sweeps_say_what_no_event_had_told() -> None:
    office = Office()
    done = PolicySweep(
        subscription_id="s-1",
        began_at=NOON - timedelta(hours=1),
        found=Found(states=9, new=1, changed=2, removed=3, refreshed=4),
        ended_at=NOON,
    )
    stopped = replace(done, subscription_id="s-2", found=Found(), problem="Azure said 403")
    running = replace(stopped, subscription_id="s-3", ended_at=None, problem="")
    for sweep in (done, stopped, running):
        await office.policy_sweeps.save(Stored(sweep))

    page = await office.body(list_policy_sweeps, request("policy-sweeps", query={"limit": "2"}))
    rest = await office.body(list_policy_sweeps, request("policy-sweeps"))

    assert page["items"][0] == {
        "began_at": "2026-11-22T11:00:00.000Z",
        "subscription": "s-1",
        "ended_at": NOON_TEXT,
        "problem": None,
        "states": 9,
        "missed": 6,
        "new": 1,
        "changed": 2,
        "removed": 3,
        "refreshed": 4,
    }
    assert (page["items"][1]["problem"], page["items"][1]["missed"]) == ("Azure said 403", 0)
    assert page["next"]
    assert rest["items"][2]["ended_at"] is None
