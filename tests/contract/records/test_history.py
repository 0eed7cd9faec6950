"""What every register does with the histories of VMs, teams and images."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict

import pytest

from shared.domain.history import Transition, VmLine
from shared.domain.vm_record import VmRecord
from shared.errors import BadMessageError, ConflictError
from shared.ports import LinesPage, VmEntry, VmFilter
from tests.contract.records.samples import (
    IMAGE,
    MARKETPLACE,
    NOON,
    AnyRecords,
    a_key,
    a_state,
    a_vm,
    an_image,
)

KEY = a_key("vm1")


class Ever(TypedDict):
    """From when to when."""

    since: datetime
    until: datetime


EVER = Ever(since=NOON - timedelta(days=1), until=NOON + timedelta(days=1))


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def a_line_of(what: str, old: str, new: str, at: int) -> Transition:
    return Transition(what=what, old=old, new=new, at=minute(at), because="a test says so")


async def tell(records: AnyRecords, record: VmRecord, *lines: Transition) -> None:
    """Bring a VM to *record* by *lines*."""
    old = await records.vms.get(record.key)
    count = old.value.record.transitions if old.value.record else 0
    new = replace(record, transitions=count + len(lines))
    await records.vms.save(old, replace(old.value, record=new), lines)


async def move(records: AnyRecords, key: str, team: str, at: int, **changes: object) -> None:
    """Move a VM to another team, or let it appear there."""
    old = (await records.vms.get(key)).value.record
    line = a_line_of("team", old.team if old else "", team, at)
    await tell(records, a_vm(key, team=team, **changes), line)


def shown(lines: Sequence[VmLine]) -> list[tuple[str, int, str]]:
    """Return lines as (name of the VM, number, new value)."""
    return [(n.key.rpartition(".")[2], n.number, n.transition.new) for n in lines]


async def of_team(records: AnyRecords, team: str) -> list[tuple[str, int, str]]:
    return shown((await records.vms.lines_of_team(team, limit=100, **EVER)).lines)


async def of_image(records: AnyRecords, image: str) -> list[tuple[str, int, str]]:
    return shown((await records.vms.lines_of_image(image, limit=100, **EVER)).lines)


async def read_to_the_end(
    records: AnyRecords, *, limit: int, since: datetime, until: datetime
) -> list[list[VmLine]]:
    pages, before = [], ""
    for _ in range(100):
        page = await records.vms.lines_of_team(
            "web", since=since, until=until, limit=limit, before=before
        )
        pages.append(list(page.lines))
        before = page.before
        if not before:
            return pages
    raise AssertionError("the history never ends")


async def test_nothing_happened_to_a_team_nobody_knows(records: AnyRecords) -> None:
    assert await records.vms.lines_of_team("web", limit=10, **EVER) == LinesPage(lines=())
    assert await records.vms.lines_of_image(IMAGE, limit=10, **EVER) == LinesPage(lines=())


async def test_a_line_says_whose_the_vm_was_and_what_it_ran_afterwards(records: AnyRecords) -> None:
    line = a_line_of("verdict", "", "current", 1)
    await tell(records, a_vm(KEY), line)
    (found,) = (await records.vms.lines_of_team("web", limit=10, **EVER)).lines
    assert found == VmLine(
        key=KEY,
        resource_id="/subscriptions/x/vm1",
        number=1,
        team="web",
        definition="ubuntu-2204",
        version="1.20261122.1",
        transition=line,
    )
    assert list(await records.vms.lines(KEY)) == [found]


async def test_the_lines_of_a_vm_are_numbered_and_can_be_read_from_a_number_on(
    records: AnyRecords,
) -> None:
    for number in range(12):
        await move(records, KEY, f"t{number}", number)
    assert [n.number for n in await records.vms.lines(KEY)] == list(range(1, 13))
    assert shown(await records.vms.lines(KEY, first=11)) == [("vm1", 11, "t10"), ("vm1", 12, "t11")]
    assert list(await records.vms.lines(KEY, first=13)) == []


async def test_a_vm_that_moves_is_in_the_histories_of_both_teams(records: AnyRecords) -> None:
    await move(records, KEY, "web", 0)
    await move(records, KEY, "db", 1)
    await move(records, KEY, "ops", 2)
    assert await of_team(records, "web") == [("vm1", 2, "db"), ("vm1", 1, "web")]
    assert await of_team(records, "db") == [("vm1", 3, "ops"), ("vm1", 2, "db")]
    assert await of_team(records, "ops") == [("vm1", 3, "ops")]


async def test_a_vm_that_changes_its_image_is_in_the_histories_of_both(records: AnyRecords) -> None:
    await tell(records, a_vm(KEY), a_line_of("verdict", "", "current", 0))
    other = an_image("24.04.1", MARKETPLACE)
    change = a_line_of("image", IMAGE, MARKETPLACE, 1)
    await tell(records, a_vm(KEY, image=other, definition=""), change)
    assert await of_image(records, IMAGE.upper()) == [
        ("vm1", 2, MARKETPLACE),
        ("vm1", 1, "current"),
    ]
    assert await of_image(records, MARKETPLACE) == [("vm1", 2, MARKETPLACE)]


async def test_the_newest_line_comes_first_whichever_vm_it_is_of(records: AnyRecords) -> None:
    names = [f"{letter}vm" for letter in "abcdefghijklmnop"]  # every shard, some of them twice
    for at, name in enumerate(names):
        await move(records, a_key(name), "web", at)
    expected = [(name, 1, "web") for name in reversed(names)]
    assert await of_team(records, "web") == expected
    for limit in (1, 3, 15, 16, 17):
        pages = await read_to_the_end(records, limit=limit, **EVER)
        assert [row for page in pages for row in shown(page)] == expected
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


async def test_lines_of_one_time_come_vm_by_vm_the_last_one_first(records: AnyRecords) -> None:
    lines = [a_line_of("kind", "", "pet", 0), a_line_of("region", "", "westeurope", 0)]
    for name in ("b", "a"):
        await tell(records, a_vm(a_key(name)), *lines)
    expected = [("a", 2, "westeurope"), ("a", 1, "pet"), ("b", 2, "westeurope"), ("b", 1, "pet")]
    assert await of_team(records, "web") == expected
    pages = await read_to_the_end(records, limit=1, **EVER)
    assert [shown(page) for page in pages] == [[row] for row in expected]


async def test_a_history_is_cut_from_a_moment_to_before_another(records: AnyRecords) -> None:
    for at in range(5):
        await move(records, KEY, "web", at, reason=f"{at}")
    for since, until, numbers in (
        (1, 3, [3, 2]),
        (0, 4, [4, 3, 2, 1]),
        (4, 9, [5]),
        (3, 3, []),
        (5, 9, []),
    ):
        page = await records.vms.lines_of_team(
            "web", since=minute(since), until=minute(until), limit=10
        )
        assert ([n.number for n in page.lines], page.before) == (numbers, "")
    pages = await read_to_the_end(records, limit=2, since=minute(1), until=minute(4))
    assert [[n.number for n in page] for page in pages] == [[4, 3], [2]]


async def test_a_full_last_page_says_that_it_is_the_last(records: AnyRecords) -> None:
    for at in range(4):
        await move(records, KEY, "web", at, reason=f"{at}")
    pages = await read_to_the_end(records, limit=2, **EVER)
    assert [len(page) for page in pages] == [2, 2]


async def test_what_happens_while_pages_are_read_moves_none_of_them(records: AnyRecords) -> None:
    for at in range(4):
        await move(records, KEY, "web", at, reason=f"{at}")
    first = await records.vms.lines_of_team("web", limit=2, **EVER)
    await move(records, a_key("vm2"), "web", 9)
    second = await records.vms.lines_of_team("web", limit=2, before=first.before, **EVER)
    assert [n.number for n in (*first.lines, *second.lines)] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    "before",
    [
        "x",
        "|",
        "000000000000000001",
        "a' or true",
        "251587123200000000|k",
        "~",
        "251587123200000000||1",
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused(records: AnyRecords, before: str) -> None:
    await move(records, KEY, "web", 0)
    with pytest.raises(BadMessageError, match="not one this history gave"):
        await records.vms.lines_of_team("web", limit=10, before=before, **EVER)
    with pytest.raises(BadMessageError, match="not one this history gave"):
        await records.vms.lines_of_image(IMAGE, limit=10, before=before, **EVER)


@pytest.mark.parametrize(
    "team", ["R&D/Ops", "50%", "a#b?c", "it's", "team|1", "täm~ 1!2f", "new\nline", "zwölf+eins"]
)
async def test_a_team_may_be_called_anything(records: AnyRecords, team: str) -> None:
    await move(records, KEY, team, 0)
    await move(records, a_key("vm2"), "web", 0)
    assert await of_team(records, team) == [("vm1", 1, team)]
    assert await of_team(records, team.upper()) == [("vm1", 1, team)]
    assert await of_team(records, team[:-1]) == []


async def test_a_team_whose_name_starts_as_anothers_has_a_history_of_its_own(
    records: AnyRecords,
) -> None:
    for team in ("web", "web|1", "web|", "webb"):
        await move(records, a_key(f"vm-{len(team)}-{team[-1:]}"), team, 0)
    assert [new for _, _, new in await of_team(records, "web")] == ["web"]


async def test_a_trimmed_history_keeps_the_last_line_of_each_kind_before_the_cut(
    records: AnyRecords,
) -> None:
    lines = [
        a_line_of("verdict", "", "current", 0),
        a_line_of("policy", "", "compliant", 1),
        a_line_of("verdict", "current", "aged", 2),
        a_line_of("verdict", "aged", "revoked", 3),
        a_line_of("verdict", "revoked", "current", 5),
    ]
    for line in lines:
        await tell(records, a_vm(KEY, reason=line.new), line)
    await move(records, a_key("vm2"), "web", 0)
    for _ in range(2):
        await records.vms.trim(KEY, before=minute(5))
        kept = [("vm1", 2, "compliant"), ("vm1", 4, "revoked"), ("vm1", 5, "current")]
        assert shown(await records.vms.lines(KEY)) == kept
        assert await of_team(records, "web") == [*reversed(kept), ("vm2", 1, "web")]
        assert await of_image(records, IMAGE) == [*reversed(kept), ("vm2", 1, "web")]
    record = (await records.vms.get(KEY)).value.record
    assert record is not None
    await tell(records, record, a_line_of("verdict", "current", "aged", 6))
    assert shown(await records.vms.lines(KEY, first=5)) == [
        ("vm1", 5, "current"),
        ("vm1", 6, "aged"),
    ]


async def test_trimming_reaches_the_teams_and_images_a_vm_has_left(records: AnyRecords) -> None:
    await move(records, KEY, "web", 0)
    await move(records, KEY, "db", 1, image=an_image("1", MARKETPLACE))
    await move(records, KEY, "ops", 2)
    await records.vms.trim(KEY, before=minute(9))
    assert await of_team(records, "web") == []
    assert await of_team(records, "db") == [("vm1", 3, "ops")]
    assert await of_image(records, MARKETPLACE) == [("vm1", 3, "ops")]


async def assert_unknown(records: AnyRecords) -> None:
    found = await records.vms.get(KEY)
    assert (found.value, found.etag) == (VmEntry(key=KEY), "")


async def test_trimming_a_vm_nobody_knows_does_nothing(records: AnyRecords) -> None:
    await records.vms.trim(KEY, before=NOON)
    await assert_unknown(records)


async def a_whole_vm(records: AnyRecords, *, states: int = 2) -> None:
    """A VM with policy states and a history in two teams."""
    await move(records, KEY, "web", 0)
    await move(records, KEY, "db", 1)
    for number in range(states):
        old = await records.vms.get(KEY)
        more = (*old.value.policy_states, a_state(f"a{number:03d}"))
        await records.vms.save(old, replace(old.value, policy_states=more))


async def test_a_forgotten_vm_leaves_nothing(records: AnyRecords) -> None:
    await a_whole_vm(records)
    await move(records, a_key("vm2"), "db", 5)
    await records.vms.forget(await records.vms.get(KEY))
    await assert_unknown(records)
    assert list(await records.vms.lines(KEY)) == []
    assert await of_team(records, "web") == []
    assert await of_team(records, "db") == [("vm2", 1, "db")]
    assert await of_image(records, IMAGE) == [("vm2", 1, "db")]
    assert [r.name for r in (await records.vms.list(VmFilter(deleted=True))).items] == ["vm2"]
    await records.vms.forget(await records.vms.get(KEY))


async def test_a_vm_with_more_policy_states_than_a_transaction_takes_can_be_forgotten(
    records: AnyRecords,
) -> None:
    await a_whole_vm(records, states=190)
    await records.vms.forget(await records.vms.get(KEY))
    await assert_unknown(records)


async def test_a_vm_that_came_back_meanwhile_is_not_forgotten(records: AnyRecords) -> None:
    await a_whole_vm(records)
    old = await records.vms.get(KEY)
    await move(records, KEY, "ops", 2)
    with pytest.raises(ConflictError):
        await records.vms.forget(old)
    assert [n.number for n in await records.vms.lines(KEY)] == [1, 2, 3]
    assert await of_team(records, "ops") == [("vm1", 3, "ops")]
    assert [r.team for r in (await records.vms.list(VmFilter(team="ops"))).items] == ["ops"]


async def test_a_forgotten_vm_may_come_back_as_a_new_one(records: AnyRecords) -> None:
    await a_whole_vm(records)
    await records.vms.forget(await records.vms.get(KEY))
    await move(records, KEY, "new", 9)
    assert shown(await records.vms.lines(KEY)) == [("vm1", 1, "new")]
    assert await of_team(records, "db") == []


async def test_what_azure_policy_said_of_a_vm_about_to_appear_is_kept(records: AnyRecords) -> None:
    early = VmEntry(key=KEY, policy_states=(a_state(),))
    await records.vms.save(await records.vms.get(KEY), early)
    await records.vms.forget(await records.vms.get(KEY))
    assert (await records.vms.get(KEY)).value == early


async def test_many_lines_are_read_page_by_page_without_a_gap(records: AnyRecords) -> None:
    for vm in ("a", "b", "c"):
        for start in range(0, 90, 30):
            lines = [a_line_of("verdict", f"{n}", f"{n + 1}", n) for n in range(start, start + 30)]
            await tell(records, a_vm(a_key(vm), reason=f"{start}"), *lines)
    pages = await read_to_the_end(records, limit=50, **EVER)
    found = [(n.transition.at, n.key, n.number) for page in pages for n in page]
    assert len(found) == len(set(found)) == 270
    assert found == sorted(found, key=lambda line: (-line[0].timestamp(), *line[1:]))
