"""What every register of VMs does."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from shared.domain.vm_record import Image, Verdict, VmRecord
from shared.errors import BadMessageError, ConflictError
from shared.ports import Page, VmEntry, VmFilter
from tests.contract.records.samples import (
    IMAGE,
    MARKETPLACE,
    NOON,
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    AnyRecords,
    a_key,
    a_state,
    a_transition,
    a_vm,
    an_entry,
    an_image,
    change_vm,
    pages,
    save_vm,
)

KEY = a_key("vm1")


async def names(records: AnyRecords, **wanted: object) -> list[str]:
    """Names of the listed VMs, in order."""
    page = await records.vms.list(VmFilter(**wanted))  # type: ignore[arg-type]
    assert page.cursor == ""
    return [record.name for record in page.items]


async def list_by_three(records: AnyRecords, wanted: VmFilter, cursor: str) -> Page[VmRecord]:
    return await records.vms.list(wanted, limit=3, cursor=cursor)


async def keys_of(records: AnyRecords, image_id: str = IMAGE) -> list[str]:
    users = await records.vms.users_of_image(image_id, limit=100)
    return [record.key for record in users.items]


async def test_nothing_is_held_on_an_unknown_vm(records: AnyRecords) -> None:
    found = await records.vms.get(KEY)
    assert (found.value, found.etag) == (VmEntry(key=KEY), "")
    assert await records.vms.lines(KEY) == []


async def test_an_entry_comes_back_as_it_was_saved(records: AnyRecords) -> None:
    record = a_vm(KEY, scale_set_id="ss", created_at=NOON, os="linux", reason="weil 🚀" * 9000)
    entry = VmEntry(key=KEY, record=record, policy_states=(a_state("a1"), a_state("a2")))
    await records.vms.save(await records.vms.get(KEY), entry)
    loaded = await records.vms.get(KEY)
    assert loaded.value == entry
    assert loaded.etag


async def test_a_policy_state_may_come_before_the_vm(records: AnyRecords) -> None:
    old = await records.vms.get(KEY)
    await records.vms.save(old, VmEntry(key=KEY, policy_states=(a_state(),)))
    early = await records.vms.get(KEY)
    assert early.value == VmEntry(key=KEY, policy_states=(a_state(),))
    assert await names(records) == []
    assert await names(records, deleted=True) == []
    await records.vms.save(early, replace(early.value, record=a_vm(KEY)))
    assert (await records.vms.get(KEY)).value == VmEntry(
        key=KEY, record=a_vm(KEY), policy_states=(a_state(),)
    )
    assert await names(records, team="web") == ["vm1"]


async def test_policy_states_change_one_by_one_and_go(records: AnyRecords) -> None:
    for states in (
        (a_state("a1"), a_state("a2")),
        (a_state("a1", "noncompliant", minutes=1), a_state("a2")),
        (a_state("a2"), a_state("a3")),
    ):
        old = await records.vms.get(KEY)
        await records.vms.save(old, replace(old.value, policy_states=states))
        assert (await records.vms.get(KEY)).value.policy_states == states


async def test_policy_states_come_in_the_order_of_their_keys(records: AnyRecords) -> None:
    states = (a_state("b"), a_state("c"), a_state("a"))
    await records.vms.save(await records.vms.get(KEY), VmEntry(key=KEY, policy_states=states))
    loaded = await records.vms.get(KEY)
    assert [s.assignment_id for s in loaded.value.policy_states] == ["a", "b", "c"]


async def test_the_history_is_kept_oldest_first(records: AnyRecords) -> None:
    old = await records.vms.get(KEY)
    first = (a_transition("", "current"), a_transition("", "web", what="team"))
    await records.vms.save(old, VmEntry(key=KEY, record=a_vm(KEY, transitions=2)), first)
    lines = list(first)
    for number in range(3, 13):
        old = await records.vms.get(KEY)
        line = a_transition(f"old {number}", f"new {number}")
        record = a_vm(KEY, transitions=number)
        await records.vms.save(old, replace(old.value, record=record), [line])
        lines.append(line)
    assert [line.transition for line in await records.vms.lines(KEY)] == lines


async def test_a_record_that_miscounts_its_history_is_refused(records: AnyRecords) -> None:
    old, new = an_entry(a_vm(KEY, transitions=0))
    with pytest.raises(ValueError, match="counts 0 transitions; with those saved now they are 1"):
        await records.vms.save(old, new, [a_transition("", "current")])
    with pytest.raises(ValueError, match="cannot be without one"):
        await records.vms.save(old, VmEntry(key=KEY), [a_transition("", "current")])
    await records.vms.save(old, new)
    with pytest.raises(ValueError, match="cannot be without one"):
        await records.vms.save(await records.vms.get(KEY), VmEntry(key=KEY))
    with pytest.raises(ValueError, match="cannot be saved as that of"):
        await records.vms.save(old, VmEntry(key=a_key("vm2"), record=a_vm(KEY)))


async def test_of_two_first_saves_one_wins(records: AnyRecords) -> None:
    old = await records.vms.get(KEY)
    entry = VmEntry(key=KEY, record=a_vm(KEY, transitions=1))
    await records.vms.save(old, entry, [a_transition("", "current")])
    other = VmEntry(key=KEY, record=a_vm(KEY, team="db", transitions=1))
    with pytest.raises(ConflictError):
        await records.vms.save(old, other, [a_transition("", "aged")])
    assert (await records.vms.get(KEY)).value == entry
    (line,) = await records.vms.lines(KEY)
    assert line.transition == a_transition("", "current")
    assert await names(records, team="db") == []


async def test_a_lost_race_changes_nothing(records: AnyRecords) -> None:
    await save_vm(records, a_vm(KEY))
    old = await records.vms.get(KEY)
    await change_vm(records, KEY, verdict=Verdict.AGED)
    new = VmEntry(key=KEY, record=a_vm(KEY, team="db", image=an_image("1.1.2"), transitions=1))
    with pytest.raises(ConflictError):
        await records.vms.save(old, new, [a_transition("web", "db", what="team")])
    assert (await records.vms.get(KEY)).value.record == a_vm(KEY, verdict=Verdict.AGED)
    assert await records.vms.lines(KEY) == []
    assert await names(records, team="db") == []
    assert await names(records, image=IMAGE, version="1.1.2") == []


async def test_a_policy_state_and_a_verdict_race_for_the_same_entry(records: AnyRecords) -> None:
    await save_vm(records, a_vm(KEY))
    old = await records.vms.get(KEY)
    await records.vms.save(old, replace(old.value, policy_states=(a_state(),)))
    with pytest.raises(ConflictError):
        await records.vms.save(old, replace(old.value, record=a_vm(KEY, verdict=Verdict.AGED)))
    again = await records.vms.get(KEY)
    await records.vms.save(again, replace(again.value, record=a_vm(KEY, verdict=Verdict.AGED)))
    loaded = await records.vms.get(KEY)
    assert loaded.value.policy_states == (a_state(),)
    assert loaded.value.record == a_vm(KEY, verdict=Verdict.AGED)


async def test_saving_what_is_stored_already_keeps_the_etag(records: AnyRecords) -> None:
    await save_vm(records, a_vm(KEY))
    old = await records.vms.get(KEY)
    await records.vms.save(old, old.value)
    assert await records.vms.get(KEY) == old


async def test_vms_are_found_by_each_of_their_facts(records: AnyRecords) -> None:
    other = a_key("vm3", OTHER_SUBSCRIPTION)
    not_ours = an_image("24.04.1", MARKETPLACE)
    unapproved = Verdict.UNAPPROVED
    await save_vm(records, a_vm(a_key("vm1")))
    await save_vm(records, a_vm(a_key("vm2"), team="Web", verdict=Verdict.AGED))
    await save_vm(
        records, a_vm(other, team="db", image=not_ours, definition="", verdict=unapproved)
    )
    await save_vm(records, a_vm(a_key("vm4"), team="", image=Image(), definition=""))
    assert await names(records) == ["vm1", "vm2", "vm4", "vm3"]
    assert await names(records, team="web") == ["vm1", "vm2"]
    assert await names(records, team="WEB", verdict="aged") == ["vm2"]
    assert await names(records, team="nobody") == []
    assert await names(records, image="ubuntu-2204") == ["vm1", "vm2"]
    assert await names(records, image="nobody") == []
    assert await names(records, image=IMAGE) == ["vm1", "vm2"]
    assert await names(records, image=IMAGE.upper() + "/") == ["vm1", "vm2"]
    assert await names(records, image=MARKETPLACE) == ["vm3"]
    assert await names(records, image=MARKETPLACE, team="web") == []
    assert await names(records, image=IMAGE, team="web", verdict="current") == ["vm1"]
    assert await names(records, verdict="unapproved") == ["vm3"]
    assert await names(records, subscription_id=SUBSCRIPTION) == ["vm1", "vm2", "vm4"]
    assert await names(records, subscription_id=OTHER_SUBSCRIPTION.upper()) == ["vm3"]
    assert await names(records, subscription_id="1") == []
    assert await names(records, subscription_id=OTHER_SUBSCRIPTION, team="web") == []
    assert await names(records, subscription_id=OTHER_SUBSCRIPTION, team="db") == ["vm3"]
    assert await names(records, subscription_id=OTHER_SUBSCRIPTION, image=IMAGE) == []
    assert await names(records, subscription_id=SUBSCRIPTION, verdict="aged") == ["vm2"]


async def test_vms_are_found_by_version_and_sorted_by_it_as_a_number(records: AnyRecords) -> None:
    for name, version in (("vm1", "1.1.10"), ("vm2", "1.1.9"), ("vm3", "1.1.10"), ("vm4", "")):
        await save_vm(records, a_vm(a_key(name), image=an_image(version)))
    assert await names(records, image=IMAGE) == ["vm2", "vm1", "vm3", "vm4"]
    assert await names(records, image=IMAGE, version="1.1.10") == ["vm1", "vm3"]
    assert await names(records, image="ubuntu-2204", version="1.1.9") == ["vm2"]
    assert await names(records, image=IMAGE, version="1.1.1") == []
    assert await names(records, image=IMAGE, version="01.1.9") == []
    assert await names(records, version="1.1.9") == ["vm1", "vm2", "vm3", "vm4"]


async def test_a_definition_may_have_moved_to_another_gallery(records: AnyRecords) -> None:
    moved = IMAGE.replace("golden", "silver")
    await save_vm(records, a_vm(a_key("vm1")))
    await save_vm(records, a_vm(a_key("vm2"), image=an_image(image_id=moved)))
    await save_vm(records, a_vm(a_key("vm3"), image=an_image(image_id=moved), definition=""))
    wanted = VmFilter(image="ubuntu-2204")
    found = await pages(lambda cursor: records.vms.list(wanted, limit=1, cursor=cursor))
    assert sorted(record.name for [record] in found) == ["vm1", "vm2"]


async def test_a_vm_that_changes_team_is_found_with_the_new_one_only(records: AnyRecords) -> None:
    await save_vm(records, a_vm(KEY))
    await change_vm(records, KEY, team="db")
    assert await names(records, team="web") == []
    assert await names(records, team="db") == ["vm1"]
    assert await names(records) == ["vm1"]


async def test_a_vm_that_changes_image_is_found_with_the_new_one_only(records: AnyRecords) -> None:
    await save_vm(records, a_vm(KEY))
    await change_vm(records, KEY, image=an_image("1.20261122.2"))
    assert await names(records, image=IMAGE) == ["vm1"]
    assert await names(records, image=IMAGE, version="1.20261122.1") == []
    assert await names(records, image=IMAGE, version="1.20261122.2") == ["vm1"]
    await change_vm(records, KEY, image=an_image("1.0.0", MARKETPLACE), definition="")
    assert await names(records, image=IMAGE) == []
    assert await names(records, image="ubuntu-2204") == []
    assert await keys_of(records) == []
    assert await keys_of(records, MARKETPLACE) == [KEY]
    await change_vm(records, KEY, image=Image())
    assert await keys_of(records, MARKETPLACE) == []
    assert await names(records, team="web") == ["vm1"]


async def test_lists_show_the_record_as_it_is_now(records: AnyRecords) -> None:
    await save_vm(records, a_vm(KEY))
    now = NOON + timedelta(days=1)
    await change_vm(records, KEY, verdict=Verdict.REVOKED, reason="pulled back", as_of=now)
    stored = (await records.vms.get(KEY)).value.record
    assert stored is not None
    assert stored.as_of == now
    for wanted in (VmFilter(), VmFilter(team="web"), VmFilter(image=IMAGE)):
        assert (await records.vms.list(wanted)).items == (stored,)


async def test_deleted_vms_are_listed_only_when_asked_for(records: AnyRecords) -> None:
    await save_vm(records, a_vm(a_key("vm1")))
    await save_vm(records, a_vm(a_key("vm2")))
    await change_vm(records, a_key("vm1"), deleted_at=NOON)
    for wanted in ({}, {"team": "web"}, {"image": IMAGE}, {"subscription_id": SUBSCRIPTION}):
        assert await names(records, **wanted) == ["vm2"]
        assert await names(records, deleted=True, **wanted) == ["vm1", "vm2"]
    assert await keys_of(records) == [a_key("vm2")]


async def test_lists_come_in_pages(records: AnyRecords) -> None:
    expected = []
    for number in range(7):
        await save_vm(records, a_vm(a_key(f"vm{number}")))
        expected.append(f"vm{number}")
    one_version = VmFilter(image="ubuntu-2204", version="1.20261122.1")
    for wanted in (VmFilter(), VmFilter(team="web"), one_version):
        found = await pages(partial(list_by_three, records, wanted))
        assert [len(items) for items in found] == [3, 3, 1]
        assert [record.name for items in found for record in items] == expected
    users = await pages(lambda cursor: records.vms.users_of_image(IMAGE, limit=4, cursor=cursor))
    assert [len(items) for items in users] == [4, 3]
    assert [record.name for items in users for record in items] == expected


async def test_a_cursor_is_good_for_its_own_filter_only(records: AnyRecords) -> None:
    for number in range(3):
        await save_vm(records, a_vm(a_key(f"vm{number}")))
    page = await records.vms.list(VmFilter(team="web"), limit=1)
    assert page.cursor
    with pytest.raises(BadMessageError):
        await records.vms.list(VmFilter(team="db"), cursor=page.cursor)
    with pytest.raises(BadMessageError):
        await records.vms.list(VmFilter(), cursor="nonsense")
    with pytest.raises(BadMessageError):
        await records.vms.users_of_image(IMAGE, limit=1, cursor=page.cursor)


@pytest.mark.parametrize("team", ["a/b\\c#d?e", "50%25+1", "o'hara & söhne 🚀", "x|y~z!2f", " "])
async def test_team_names_may_hold_any_character(records: AnyRecords, team: str) -> None:
    key = a_key("vm|1/%")
    await save_vm(records, a_vm(key, team=team))
    assert [r.key for r in (await records.vms.list(VmFilter(team=team))).items] == [key]
    assert await keys_of(records) == [key]
    await change_vm(records, key, team="web")
    assert (await records.vms.list(VmFilter(team=team))).items == ()
