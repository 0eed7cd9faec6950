"""What a sweep finds, and what it costs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.sweep import NOT_SHOWN
from shared.errors import ConflictError, NotReadyError, RefusedError, ThrottledError
from shared.fleet.sweep_end import ORDER
from shared.messages import Envelope, SettleDrift, SweepFleet, SweepSubscriptions, TrackVm, encode
from tests.fakes.fleet import COMPUTE, SUBSCRIPTION
from tests.unit.sweep.estate import OTHER, Estate, counted

VM = f"{COMPUTE}/virtualmachines/vm-1"


async def test_a_fleet_nobody_told_of_is_entered_without_a_read_of_each(estate: Estate) -> None:
    await estate.release()
    ids = [estate.vm(f"vm-{n}") for n in range(3)]
    scale_set = estate.scale_set("api", "1.1.0", size=2)

    report = await estate.sweep()

    assert counted(report) == {"rows": 6, "first_seen": 6}
    assert estate.world.fleet.reads == []
    assert [(await estate.record(i)).verdict for i in ids] == ["current"] * 3
    instance = await estate.record(f"{scale_set}/virtualmachines/1")
    assert (instance.team, instance.kind, instance.labels) == ("web", "cattle", {"team": "web"})
    assert {line.because for line in await estate.lines(ids[0])} == {"sweep"}
    assert (await estate.subscription()).swept_at == report.sweep.began_at


async def test_an_unchanged_fleet_costs_no_write_and_no_read_of_a_machine(estate: Estate) -> None:
    await estate.release()
    ids = [estate.vm("vm-1"), estate.vm("vm-2"), estate.scale_set("api", "1.1.0", size=2)]
    await estate.sweep()
    vms = estate.world.records.vms
    before = [await vms.get((await estate.record(i)).key) for i in ids]

    report = await estate.sweep()

    assert counted(report) == {"rows": 5, "unchanged": 5}
    assert [await vms.get(stored.value.key) for stored in before] == before
    assert estate.world.fleet.reads == []


async def test_what_an_event_has_told_is_unchanged_for_the_sweep(estate: Estate) -> None:
    await estate.release()
    await estate.event(estate.vm("vm-1"))
    await estate.event(estate.scale_set("api", "1.1.0", size=2))

    assert counted(await estate.sweep()) == {"rows": 4, "unchanged": 4}


async def test_a_new_vm_whose_event_was_lost_is_read_and_counted_as_missed(estate: Estate) -> None:
    await estate.release()
    await estate.sweep()
    vm = estate.vm("vm-1")

    report = await estate.sweep()

    assert counted(report) == {"rows": 1, "new": 1, "missed": 1}
    assert estate.world.fleet.reads == [vm]
    assert (await estate.record(vm)).verdict == "current"


async def test_a_lost_change_a_lost_deletion_and_a_lost_return_are_found(estate: Estate) -> None:
    await estate.release()
    await estate.release("1.2.0")
    changed, gone, back = estate.vm("vm-1"), estate.vm("vm-2"), estate.vm("vm-3")
    await estate.sweep()
    facts = estate.world.fleet.vms[back]
    estate.world.fleet.remove(back)
    await estate.event(back)
    estate.vm("vm-1", "1.2.0")
    estate.world.fleet.remove(gone)
    estate.world.fleet.put(facts)

    report = await estate.sweep()

    assert counted(report) == {
        "rows": 2, "changed": 1, "vanished": 1, "returned": 1, "missed": 3,
    }  # fmt: skip
    assert (await estate.record(changed)).image.version == "1.2.0"
    assert (await estate.record(gone)).deleted_at == estate.world.now
    assert (await estate.lines(gone))[-1].because == "sweep"
    assert (await estate.record(back)).deleted_at is None


async def test_a_platform_upgrade_of_a_scale_set_is_found(estate: Estate) -> None:
    await estate.release()
    await estate.release("1.2.0")
    await estate.event(estate.scale_set("api", "1.1.0", size=2))
    await estate.sweep()
    scale_set = estate.scale_set("api", "1.2.0", size=2)

    report = await estate.sweep()

    assert (report.tally.changed, report.tally.missed) == (2, 2)
    instance = await estate.record(f"{scale_set}/virtualmachines/0")
    assert (instance.image.version, instance.verdict) == ("1.2.0", "current")


async def test_instances_of_an_autoscale_are_found_with_the_tags_of_their_set(
    estate: Estate,
) -> None:
    await estate.release()
    estate.scale_set("api", "1.1.0", size=1)
    await estate.sweep()
    scale_set = estate.scale_set("api", "1.1.0", size=3)

    report = await estate.sweep()

    assert (report.tally.new, report.tally.changed) == (2, 1)  # the set's own capacity changed
    assert (await estate.record(f"{scale_set}/virtualmachines/2")).team == "web"
    assert (await estate.record(scale_set)).capacity == 3
    assert counted(await estate.sweep()) == {"rows": 4, "unchanged": 4}


async def test_a_disk_swapped_without_an_event_is_found(estate: Estate) -> None:
    await estate.release()
    await estate.release("1.2.0")
    vm = estate.vm("vm-1", "1.2.0")
    await estate.sweep()
    facts = estate.world.fleet.vms[vm]
    boot = replace(facts.boot, os_disk_id=f"{COMPUTE}/disks/other")
    estate.world.fleet.put(replace(facts, boot=boot))
    estate.world.fleet.disks[boot.os_disk_id] = replace(facts.image, version="1.1.0")

    report = await estate.sweep()

    assert counted(report) == {"rows": 1, "changed": 1, "missed": 1}
    assert (await estate.record(vm)).verdict == "aged"
    assert counted(await estate.sweep()) == {"rows": 1, "unchanged": 1}


async def test_a_vm_whose_reference_is_not_exact_is_read_even_the_first_time(
    estate: Estate,
) -> None:
    vm = estate.vm("vm-1", "")

    report = await estate.sweep()

    assert counted(report) == {"rows": 1, "new": 1}
    assert estate.world.fleet.reads == [vm]


async def test_resource_graph_being_late_costs_reads_and_never_truth(estate: Estate) -> None:
    await estate.release()
    await estate.release("1.2.0")
    changed, gone, born = estate.vm("vm-1"), estate.vm("vm-2"), estate.vm("vm-3")
    graph, fleet = estate.world.resource_graph, estate.world.fleet
    await estate.sweep()
    graph.late = {vm: fleet.vms[vm] for vm in (changed, gone)} | {born: None}
    estate.vm("vm-1", "1.2.0")
    await estate.event(changed)
    fleet.remove(gone)
    await estate.event(gone)

    report = await estate.sweep()

    assert counted(report) == {"rows": 2, "same": 3}
    assert (await estate.record(changed)).image.version == "1.2.0"
    assert (await estate.record(gone)).deleted_at is not None
    assert (await estate.record(born)).deleted_at is None


@pytest.mark.parametrize("page_size", [1, 2, 3, 7])
async def test_every_size_of_page_finds_the_same(estate: Estate, page_size: int) -> None:
    await estate.release()
    graph = estate.world.resource_graph
    graph.show(OTHER)
    graph.page_size = page_size
    ids = [estate.vm(f"vm-{n}", home=home) for n in range(4) for home in (SUBSCRIPTION, OTHER)]
    ids.append(estate.scale_set("api", "1.1.0", size=5))
    await estate.sweep()
    estate.world.fleet.remove(ids[0])
    estate.world.fleet.remove(ids[7])

    report = await estate.sweep()

    assert counted(report) == {"rows": 12, "unchanged": 12, "vanished": 2, "missed": 2}
    assert estate.world.fleet.reads == sorted([ids[0], ids[7]], key=lambda i: OTHER in i)


async def test_an_order_that_is_not_ours_costs_reads_and_never_truth(estate: Estate) -> None:
    await estate.release()
    graph = estate.world.resource_graph
    ids = [estate.vm(f"vm-{n}") for n in range(5)]
    await estate.sweep()
    graph.page_size = 2
    graph.order = lambda facts: facts.resource_id[::-1].translate(str.maketrans("01234", "31420"))

    report = await estate.sweep()

    assert report.tally.rows == 5
    assert report.tally.vanished == report.tally.missed == 0
    assert [(await estate.record(i)).deleted_at for i in ids] == [None] * 5


async def test_an_id_in_several_spellings_is_one_vm(estate: Estate) -> None:
    await estate.release()
    vm = estate.vm("vm-1")
    facts = estate.world.fleet.vms[vm]
    estate.world.resource_graph.late = {
        "shouted": replace(facts, resource_id=vm.upper()),
        "spoken": facts,
    }

    assert counted(await estate.sweep()) == {"rows": 1, "first_seen": 1}
    assert counted(await estate.sweep()) == {"rows": 1, "unchanged": 1}


async def test_the_vms_of_a_hidden_subscription_are_not_taken_for_gone(estate: Estate) -> None:
    await estate.release()
    estate.world.resource_graph.show(OTHER)
    theirs, ours = estate.vm("vm-1", home=OTHER), estate.vm("vm-2")
    await estate.sweep()
    estate.world.resource_graph.hide(OTHER)
    estate.world.fleet.remove(ours)

    report = await estate.sweep()

    assert (await estate.record(theirs)).deleted_at is None
    assert (await estate.record(ours)).deleted_at is not None
    assert (report.sweep.subscriptions, report.sweep.unreadable) == (1, 1)
    hidden = await estate.subscription(OTHER)
    assert (hidden.problem, hidden.problem_since) == (NOT_SHOWN, report.sweep.began_at)

    estate.world.resource_graph.show(OTHER)
    await estate.sweep()

    assert (await estate.subscription(OTHER)).problem == ""


async def test_a_subscription_hidden_in_the_middle_of_a_sweep_keeps_its_vms(
    estate: Estate,
) -> None:
    await estate.release()
    estate.world.resource_graph.show(OTHER)
    ids = [estate.vm(f"vm-{n}", home=OTHER) for n in range(25)]
    await estate.sweep()
    before = await estate.subscription(OTHER)
    estate.world.now += timedelta(hours=1)
    estate.world.send(SweepFleet(sweep_id="s"))
    await estate.world.deliver_next()
    estate.world.resource_graph.hide(OTHER)
    await estate.world.drain()

    assert [(await estate.record(i)).deleted_at for i in ids] == [None] * 25
    report = await estate.world.records.sweeps.report("s")
    assert report is not None
    assert (report.tally.unreadable, report.tally.vanished) == (25, 0)
    assert len(estate.world.fleet.reads) <= 10  # the others are spared once one was refused
    hidden = await estate.subscription(OTHER)
    assert "403" in hidden.problem
    assert hidden.swept_at in (before.swept_at, report.sweep.began_at)


async def test_a_read_problem_ends_when_the_probe_of_a_sweep_is_answered(estate: Estate) -> None:
    await estate.release()
    vm = estate.vm("vm-1")
    estate.vm("vm-2")
    estate.world.fleet.hidden.add(SUBSCRIPTION)
    estate.world.send(TrackVm(resource_id=vm))
    await estate.world.deliver_next()
    troubled = await estate.subscription()
    assert "403" in troubled.problem

    await estate.sweep()
    assert await estate.subscription() == replace(
        troubled, management_groups=("root",), swept_at=None
    )
    estate.world.fleet.hidden.clear()
    estate.world.fleet.reads.clear()
    await estate.sweep()

    assert (await estate.subscription()).problem == ""
    assert estate.world.fleet.reads[0] == vm


async def test_a_subscription_that_can_be_read_again_half_way_is_not_swept_yet(
    estate: Estate,
) -> None:
    await estate.release()
    one, other = estate.vm("vm-1"), estate.vm("vm-2")
    swept = (await estate.sweep()).sweep.began_at
    estate.world.fleet.hidden.add(SUBSCRIPTION)
    await estate.event(one)
    estate.world.fleet.hidden.clear()
    for vm in (one, other):
        estate.world.fleet.remove(vm)

    await estate.sweep()
    half_way = await estate.subscription()
    assert (half_way.problem, half_way.swept_at) == ("", swept)
    assert (await estate.record(other)).deleted_at is None

    whole = await estate.sweep()
    assert (await estate.subscription()).swept_at == whole.sweep.began_at
    assert (await estate.record(other)).deleted_at is not None


async def test_a_list_that_azure_cut_hides_nobody(estate: Estate) -> None:
    estate.world.resource_graph.show(OTHER)
    await estate.sweep()
    estate.world.resource_graph.shown.pop(OTHER)
    estate.world.resource_graph.whole = False

    report = await estate.sweep()

    assert (await estate.subscription(OTHER)).problem == ""
    assert (report.sweep.subscriptions, report.sweep.unreadable) == (1, 0)


async def test_no_subscription_at_all_ends_a_sweep_with_what_to_do(estate: Estate) -> None:
    estate.world.resource_graph.shown.clear()

    report = await estate.sweep()
    await estate.sweep()
    state = (await estate.world.records.sweeps.state()).value
    assert (state.first_began_at, state.last_began_at) == (report.sweep.began_at, None)

    assert report.sweep.outcome == "failed"
    assert "Reader" in report.sweep.why


async def test_a_quota_used_up_puts_the_next_page_off(estate: Estate) -> None:
    graph = estate.world.resource_graph
    graph.wait = timedelta(seconds=5)
    began = estate.world.now + timedelta(hours=1)

    report = await estate.sweep()

    assert report.sweep.ended_at == began + 3 * timedelta(seconds=5)


async def test_a_throttled_page_comes_back_when_azure_says(estate: Estate) -> None:
    error = ThrottledError("429", after=timedelta(minutes=7))
    estate.world.resource_graph.fail_next("machines", error)
    estate.vm("vm-1", "1.1.0")

    report = await estate.sweep()

    assert report.sweep.outcome == "done"
    assert report.sweep.ended_at == report.sweep.began_at + timedelta(minutes=7)
    assert report.tally.rows == 1


async def test_an_expired_token_begins_the_batch_again_and_counts_rows_once(
    estate: Estate,
) -> None:
    await estate.release()
    graph = estate.world.resource_graph
    graph.page_size = 2
    for n in range(5):
        estate.vm(f"vm-{n}")
    estate.world.now += timedelta(hours=1)
    estate.world.send(SweepFleet(sweep_id="s"))
    for _ in range(3):
        await estate.world.deliver_next()
    graph.expire_tokens()
    await estate.world.drain()

    report = await estate.world.records.sweeps.report("s")
    assert report is not None
    assert report.batches[0].restarts == 1
    assert counted(report) == {"rows": 5, "first_seen": 5, "unchanged": 2}
    assert report.sweep.outcome == "done"


async def test_tokens_that_always_expire_end_the_batch_aloud(estate: Estate) -> None:
    graph = estate.world.resource_graph
    graph.page_size = 1
    estate.vm("vm-1")
    estate.vm("vm-2")
    graph.short_lived = True

    report = await estate.sweep()

    assert (report.sweep.outcome, report.batches[0].restarts) == ("failed", 3)
    (parked,) = (await estate.world.records.parked.list()).items
    assert "token" in parked.reason
    assert (await estate.subscription()).swept_at is None


async def test_a_question_azure_refuses_ends_the_sweep_and_makes_room_for_the_next(
    estate: Estate,
) -> None:
    graph = estate.world.resource_graph
    graph.fail_next("subscriptions", RefusedError("no"))
    assert (await estate.sweep()).sweep.why == "no"
    graph.fail_next("machines", RefusedError("nor this"))
    report = await estate.sweep()
    assert (report.sweep.outcome, report.batches[0].why) == ("failed", "nor this")
    assert (await estate.sweep()).sweep.outcome == "done"


async def test_only_one_sweep_runs_at_a_time_and_the_other_says_so(estate: Estate) -> None:
    world = estate.world
    world.send(SweepFleet(sweep_id="s"))
    await world.deliver_next()
    world.send(SweepFleet(sweep_id="t", asked_by="function-key"))
    await world.drain()

    first, second = (await world.records.sweeps.list()).items
    outcomes = {r.sweep.id: (r.sweep.outcome, r.sweep.why) for r in (first, second)}
    assert outcomes["s"] == ("done", "")
    assert outcomes["t"][0] == "skipped"
    assert "sweep s is still under way" in outcomes["t"][1]


async def test_a_sweep_that_no_longer_moves_gives_way(estate: Estate) -> None:
    world = estate.world
    world.send(SweepFleet(sweep_id="s"))
    await world.deliver_next()
    world._queue.clear()  # its message is lost
    world.now += timedelta(hours=12, minutes=1)

    report = await estate.sweep()

    assert report.sweep.outcome == "done"
    lost = await world.records.sweeps.report("s")
    assert lost is not None
    assert (lost.sweep.outcome, lost.batches[0].outcome) == ("abandoned", "abandoned")
    late = SweepSubscriptions(sweep_id="s", batch=0, turn=0, rank=ORDER[0])
    queries = len(world.resource_graph.queries)
    world.send(late)
    await world.drain()
    assert len(world.resource_graph.queries) == queries


async def test_other_management_groups_of_a_subscription_change_teams_without_a_read(
    estate: Estate,
) -> None:
    await estate.release()
    vm = estate.vm("vm-1", tags={})
    await estate.sweep()
    assert (await estate.record(vm)).team == "unassigned"
    estate.by_management_group("shop", team="retail")
    estate.world.resource_graph.show(SUBSCRIPTION, "shop", "root")

    report = await estate.sweep()

    assert counted(report) == {"rows": 1, "rejudged": 1}
    assert (await estate.record(vm)).team == "retail"
    assert estate.world.fleet.reads == []


async def test_one_machine_that_cannot_be_read_now_has_the_whole_message_come_back(
    estate: Estate,
) -> None:
    await estate.release()
    await estate.sweep()
    ids = [estate.vm("vm-1"), estate.vm("vm-2")]
    error = ThrottledError("429", after=timedelta(minutes=3))
    estate.world.fleet.fail_next("vm", error)

    report = await estate.sweep()

    assert counted(report) == {"rows": 2, "new": 2, "missed": 2}
    assert [await estate.knows(i) for i in ids] == [True, True]


async def test_a_part_counted_twice_counts_once(estate: Estate) -> None:
    await estate.release()
    await estate.sweep()
    settle = SettleDrift(sweep_id="sweep-1", batch=0, part="p", resource_ids=(estate.vm("vm-1"),))
    for _ in range(2):
        estate.world.send(settle)
        await estate.world.drain()

    report = await estate.world.records.sweeps.report("sweep-1")
    assert report is not None
    assert report.tally.new == 1


async def test_a_refusal_is_not_overwritten_by_the_next_one(estate: Estate) -> None:
    vm = estate.vm("vm-1")
    estate.world.fleet.hidden.add(SUBSCRIPTION)
    estate.world.fleet.fail_next("vm", NotReadyError("the first refusal"))
    for _ in range(2):
        estate.world.send(TrackVm(resource_id=vm))
        await estate.world.deliver_next()

    assert (await estate.subscription()).problem == "the first refusal"


async def test_the_first_sight_of_a_vm_makes_its_subscription_known(estate: Estate) -> None:
    await estate.event(estate.vm("vm-1"))

    known = await estate.subscription()

    assert (known.problem, known.swept_at) == ("", None)


async def test_a_vm_azure_will_never_show_stops_none_of_the_others(estate: Estate) -> None:
    await estate.release()
    await estate.sweep()
    ids = [estate.vm("vm-1"), estate.vm("vm-2"), estate.vm("vm-3")]
    estate.world.fleet.broken.add(ids[1])

    report = await estate.sweep()

    assert counted(report) == {"rows": 3, "new": 2, "missed": 2}
    assert [await estate.knows(i) for i in ids] == [True, False, True]
    (parked,) = (await estate.world.records.parked.list()).items
    assert (parked.queue, parked.text.count("/virtualmachines/")) == ("settle-drift", 1)


async def test_a_vm_written_by_an_event_while_its_page_is_written_is_settled(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await estate.release()
    ids = [estate.vm("vm-1"), estate.vm("vm-2")]
    save, races = estate.world.records.vms.save, [1]

    async def raced(*args: Any) -> None:
        if races:
            races.pop()
            raise ConflictError("the row was changed by someone else")
        await save(*args)

    monkeypatch.setattr(estate.world.records.vms, "save", raced)

    report = await estate.sweep()

    assert (report.sweep.outcome, report.tally.first_seen, report.tally.missed) == ("done", 2, 0)
    assert [await estate.knows(i) for i in ids] == [True, True]


async def test_messages_of_a_page_hold_a_hundred_ids_and_fewer_where_they_are_long(
    estate: Estate,
) -> None:
    await estate.release()
    await estate.sweep()
    for n in range(120):
        estate.vm(f"vm-{n}")
        estate.vm(f"{'ä' * 60}-{n}")

    report = await estate.sweep()

    sent = [s.command for s in estate.world.outbox.sent if isinstance(s.command, SettleDrift)]
    assert len(sent[0].resource_ids) == 100
    assert sum(len(s.resource_ids) for s in sent) == counted(report)["new"] == 240
    sizes = [len(encode(Envelope(command=s, correlation_id="c"))) for s in sent]
    assert 30_000 < max(sizes) < 36_000


async def test_a_sweep_is_forgotten_after_ninety_days(estate: Estate) -> None:
    await estate.sweep()
    estate.world.now += timedelta(days=91)

    await estate.sweep()

    reports = (await estate.world.records.sweeps.list()).items
    assert [r.sweep.id for r in reports] == ["sweep-2"]


@pytest.mark.parametrize("is_gone", [True, False])
async def test_a_subscription_without_a_machine_has_nothing_that_could_be_refused(
    estate: Estate, *, is_gone: bool
) -> None:
    vm = estate.vm("vm-1")
    estate.world.fleet.hidden.add(SUBSCRIPTION)
    await estate.event(vm)
    assert "403" in (await estate.subscription()).problem
    if is_gone:
        estate.world.fleet.remove(vm)

    report = await estate.sweep()

    known = await estate.subscription()
    assert (not known.problem) is is_gone
    assert known.swept_at == (report.sweep.began_at if is_gone else None)
