"""From an event about a VM to its record."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.identifiers import vm_key
from shared.domain.image_version import VersionState
from shared.domain.vm_record import (
    Boot,
    Image,
    Kind,
    LineageSource,
    Machine,
    Rule,
    Verdict,
    VmRecord,
)
from shared.errors import BadMessageError, ConflictError, UnavailableError
from shared.messages import Announcement, JudgeVm
from shared.ports import VmEntry
from tests.fakes.fleet import COMPUTE, SUBSCRIPTION, vm_facts
from tests.unit.fleet.register import IMAGE_ID, NAME, NOON, Register, verdicts

GUID = "a1278f9b-945d-4cfc-b783-e7e4c569be08"
SCALE_SET = f"{COMPUTE}/virtualmachinescalesets/api"


async def test_a_vm_is_recorded_as_azure_describes_it(register: Register) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0")
    assert await register.track(vm.upper()) == []
    assert await register.record(vm) == VmRecord(
        key=vm_key(vm),
        resource_id=vm,
        name="vm-1",
        subscription_id=SUBSCRIPTION,
        resource_group="rg-web",
        region="westeurope",
        image=Image(image_id=IMAGE_ID, version="1.1.0", source=LineageSource.IMAGE_REFERENCE),
        definition=NAME,
        team="web",
        kind=Kind.PET,
        verdict=Verdict.CURRENT,
        reason=f"Version 1.1.0 of {NAME} is the newest in westeurope.",
        policy="",
        first_seen_at=NOON,
        changed_at=NOON,
        as_of=NOON,
        machine=Machine.VM,
        rule=Rule.NEWEST,
        runs_since=NOON,
        boot=Boot(reference=f"{IMAGE_ID}@1.1.0", os_disk_id=f"{COMPUTE}/disks/vm-1_os"),
        labels={"team": "web"},
        os="linux",
        transitions=2,
    )
    assert await register.lines(vm) == [
        ("first-seen", "", f"{IMAGE_ID} 1.1.0"),
        ("verdict", "", "current"),
    ]


async def test_an_ordinary_vm_costs_one_read_of_azure(register: Register) -> None:
    vm = register.runs("1.1.0")
    await register.track(vm)
    assert register.fleet.reads == [vm]


async def test_a_vm_that_starts_out_badly_is_announced(register: Register) -> None:
    vm = register.fleet.put(
        vm_facts(image_id="canonical:ubuntuserver:18.04-lts", version="18.04.1")
    )
    assert await register.track(vm) == [
        Announcement(
            name="VmVerdictChanged",
            subject=f"vms/{vm_key(vm)}",
            key=f"{vm_key(vm)}/2",
            data={
                "vm": vm,
                "team": "web",
                "old": "",
                "new": "unapproved",
                "reason": "canonical:ubuntuserver:18.04-lts 18.04.1 is not one of our images; "
                "redeploy the VM from a released image version.",
                "image": "canonical:ubuntuserver:18.04-lts",
                "version": "18.04.1",
                "asOf": "2026-11-22T12:00:00+00:00",
                "machine": "vm",
                "rule": "image-not-ours",
                "dueAt": "2026-12-22T12:00:00+00:00",
                "newest": None,
            },
        )
    ]


async def test_an_unchanged_vm_is_left_as_it_is(register: Register) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0")
    await register.track(vm)
    before = await register.records.vms.get(vm_key(vm))
    register.wait(days=3)
    assert await register.track(vm) == []
    assert await register.records.vms.get(vm_key(vm)) == before


async def test_what_changed_is_told_line_by_line(register: Register) -> None:
    await register.release("1.1.0")
    await register.release("1.2.0")
    vm = register.runs("1.2.0")
    await register.track(vm)
    register.wait(hours=1)
    register.runs("1.1.0", tags={"team": "shop", "assay-kind": "cattle"})
    assert verdicts(await register.track(vm)) == [("vm-1", "current", "aged")]
    assert (await register.lines(vm))[2:] == [
        ("image", f"{IMAGE_ID} 1.2.0", f"{IMAGE_ID} 1.1.0"),
        ("team", "web", "shop"),
        ("kind", "pet", "cattle"),
        ("verdict", "current", "aged"),
    ]
    record = await register.record(vm)
    assert (record.first_seen_at, record.changed_at) == (NOON, register.now)


async def test_a_better_reason_alone_is_no_line_of_history(register: Register) -> None:
    for version in ("1.1.0", "1.2.0"):
        await register.release(version)
    vm = register.runs("1.1.0")
    await register.track(vm)
    await register.release("1.3.0")
    register.wait(days=1)
    assert await register.track(vm) == []
    record = await register.record(vm)
    assert record.reason == (
        f"Version 1.1.0 of {NAME} is behind by 2 released versions in westeurope; "
        "redeploy from 1.3.0."
    )
    assert (record.changed_at, record.as_of, record.transitions) == (NOON, register.now, 2)


async def test_a_vm_that_is_gone_keeps_its_record(register: Register) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0")
    await register.track(vm)
    register.fleet.remove(vm)
    register.wait(hours=1)
    assert await register.track(vm) == []
    assert (await register.record(vm)).deleted_at == register.now
    assert (await register.lines(vm))[-1] == ("deleted", "", "2026-11-22T13:00:00+00:00")
    register.wait(hours=1)
    await register.track(vm)
    assert len(await register.lines(vm)) == 3


async def test_a_vm_made_again_under_its_name_lives_again(register: Register) -> None:
    vm = register.runs("1.1.0")
    await register.track(vm)
    register.fleet.remove(vm)
    await register.track(vm)
    register.runs("1.1.0")
    await register.track(vm)
    assert (await register.record(vm)).deleted_at is None
    assert (await register.lines(vm))[-1] == ("deleted", "2026-11-22T12:00:00+00:00", "")


async def test_a_vm_never_seen_and_gone_is_nothing(register: Register) -> None:
    vm = f"{COMPUTE}/virtualmachines/ghost"
    assert await register.track(vm) == []
    assert not await register.known(vm)


async def test_events_out_of_order_end_in_what_is_true_now(register: Register) -> None:
    vm = register.runs("1.1.0")
    register.fleet.remove(vm)
    await register.track(vm)
    assert not await register.known(vm)


@pytest.mark.parametrize(
    "resource_id",
    [
        "vm-1",
        f"{COMPUTE}/disks/d",
        "/subscriptions/0/resourcegroups/rg",
    ],
)
async def test_what_is_neither_vm_nor_scale_set_is_refused(
    register: Register, resource_id: str
) -> None:
    with pytest.raises(BadMessageError, match="track_vm cannot be done"):
        await register.track(resource_id)


async def test_our_image_is_known_under_the_name_direct_sharing_gives_it(
    register: Register,
) -> None:
    await register.release("1.1.0")
    shared = f"/sharedgalleries/00000000-0000-0000-0000-000000000001-assay/images/{NAME}"
    image = Image(image_id=shared, version="1.1.0", source=LineageSource.SHARED_GALLERY)
    vm = register.fleet.put(replace(vm_facts(), image=image))
    await register.track(vm)
    record = await register.record(vm)
    assert record.image == replace(image, image_id=IMAGE_ID)
    assert (record.definition, record.verdict) == (NAME, Verdict.CURRENT)


@pytest.mark.parametrize(
    ("group", "tags", "tracked"),
    [
        pytest.param("rg-assay", {"assay-build": "b"}, False, id="verification VM"),
        pytest.param(f"it_rg-assay_ubuntu-22-04-k3j5_{GUID}", {}, False, id="Image Builder's VM"),
        pytest.param(f"it_rg-assay2_ubuntu_{GUID}", {}, True, id="another's Image Builder VM"),
        pytest.param("rg-assay", {}, True, id="another VM beside the gallery"),
        pytest.param("rg-web", {"assay-build": "b"}, True, id="a tag alone hides no VM"),
    ],
)
async def test_vms_that_make_images_are_not_tracked(
    register: Register, group: str, tags: dict[str, str], tracked: bool
) -> None:
    ours = "/subscriptions/00000000-0000-0000-0000-000000000001"
    vm = f"{ours}/resourcegroups/{group}/providers/microsoft.compute/virtualmachines/v"
    register.runs("1.1.0", "v", resource_id=vm, tags=tags)
    await register.track(vm)
    assert await register.known(vm) is tracked


# --- deliveries that die, repeat or race ----------------------------------------------------------


async def test_a_verdict_is_announced_again_when_the_delivery_comes_again(
    register: Register,
) -> None:
    vm = register.runs("9.9.9")
    first = await register.track(vm)
    register.wait(minutes=10)
    again = await register.track(vm)
    assert verdicts(first) == [("vm-1", "", "unapproved")]
    assert [m.event_id for m in again if isinstance(m, Announcement)] == [
        m.event_id for m in first if isinstance(m, Announcement)
    ]
    assert again == first


async def test_an_old_verdict_is_not_announced_again(register: Register) -> None:
    vm = register.runs("9.9.9")
    await register.track(vm)
    register.wait(hours=12, seconds=1)
    assert await register.track(vm) == []


async def test_azure_that_cannot_be_read_changes_nothing(register: Register) -> None:
    vm = register.runs("1.1.0")
    await register.track(vm)
    before = await register.records.vms.get(vm_key(vm))
    register.fleet.fail_next("vm", UnavailableError("busy"))
    with pytest.raises(UnavailableError):
        await register.track(vm)
    assert await register.records.vms.get(vm_key(vm)) == before


class _Meanwhile:
    """A port that lets something happen right before one call of *method*."""

    def __init__(self, port: Any, method: str, then: Any) -> None:
        self._port, self._method, self._then = port, method, then

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name != self._method or self._then is None:
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            then, self._then = self._then, None
            await then()
            return await method(*args, **kwargs)

        return call


async def test_a_later_look_is_never_replaced_by_an_earlier_one(register: Register) -> None:
    for version in ("1.1.0", "1.2.0"):
        await register.release(version)
    vm = register.runs("1.1.0")

    async def overtake() -> None:
        register.vms = register.records.vms
        register.runs("1.2.0")
        await register.track(vm)

    register.vms = _Meanwhile(register.records.vms, "save", overtake)
    with pytest.raises(ConflictError):
        await register.track(vm)
    assert (await register.record(vm)).image.version == "1.2.0"


async def test_a_release_while_a_vm_is_first_recorded_reaches_it_by_the_second_look(
    register: Register,
) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0")

    async def release() -> None:
        await register.release("1.2.0")
        assert await register.judge_users("1.2.0") == []

    register.vms = _Meanwhile(register.records.vms, "save", release)
    assert await register.track(vm) == []
    assert (await register.record(vm)).verdict is Verdict.CURRENT
    assert await register.judge_users("1.2.0") == [
        JudgeVm(vm_keys=(vm_key(vm),), because="version 1.2.0 was published")
    ]


async def test_a_vm_that_took_longer_to_record_than_the_second_look_waits_is_judged_anew(
    register: Register,
) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0")

    async def release_and_dawdle() -> None:
        await register.release("1.2.0")
        register.wait(seconds=31)

    register.vms = _Meanwhile(register.records.vms, "save", release_and_dawdle)
    assert verdicts(await register.track(vm)) == [("vm-1", "current", "aged")]
    assert (await register.record(vm)).verdict is Verdict.AGED


async def test_vms_are_judged_by_versions_remembered_for_a_moment(register: Register) -> None:
    await register.release("1.1.0")
    await register.track(register.runs("1.1.0"))
    await register.release("1.2.0")
    second = register.runs("1.1.0", "vm-2")
    register.wait(seconds=15)
    await register.track(second)
    assert (await register.record(second)).verdict is Verdict.CURRENT
    register.wait(seconds=1)
    third = register.runs("1.1.0", "vm-3")
    await register.track(third)
    assert (await register.record(third)).verdict is Verdict.AGED


async def test_a_version_nobody_remembers_is_looked_up_at_once(register: Register) -> None:
    await register.release("1.1.0")
    await register.track(register.runs("1.1.0"))
    await register.release("1.2.0")
    second = register.runs("1.2.0", "vm-2")
    await register.track(second)
    assert (await register.record(second)).rule is Rule.NEWEST


# --- scale sets -----------------------------------------------------------------------------------


async def test_every_instance_of_a_scale_set_is_recorded(register: Register) -> None:
    for version in ("1.1.0", "1.2.0"):
        await register.release(version)
    old = register.instance(0, "1.1.0")
    new = register.instance(1, "1.2.0")
    assert verdicts(await register.track(SCALE_SET)) == [("0", "", "aged")]
    records = [await register.record(i.resource_id) for i in (old, new)]
    assert [(r.name, r.kind, r.verdict, r.scale_set_id) for r in records] == [
        ("api_0", Kind.CATTLE, Verdict.AGED, SCALE_SET),
        ("api_1", Kind.CATTLE, Verdict.CURRENT, SCALE_SET),
    ]
    assert register.fleet.reads == [SCALE_SET]


async def test_instances_that_are_gone_are_marked(register: Register) -> None:
    await register.release("1.1.0")
    instances = [register.instance(n, "1.1.0") for n in range(3)]
    await register.track(SCALE_SET)
    register.fleet.remove(instances[1].resource_id)
    register.wait(hours=1)
    await register.track(SCALE_SET)
    gone = [(await register.record(i.resource_id)).deleted_at for i in instances]
    assert gone == [None, register.now, None]


async def test_with_the_scale_set_all_its_instances_are_gone(register: Register) -> None:
    instances = [register.instance(n, "1.1.0") for n in range(2)]
    await register.track(SCALE_SET)
    register.fleet.remove(SCALE_SET)
    await register.track(SCALE_SET)
    assert all([(await register.record(i.resource_id)).deleted_at for i in instances])


async def test_a_vm_that_left_its_flexible_scale_set_lives_on(register: Register) -> None:
    vm = register.runs("1.1.0", "vm-flex", scale_set_id=SCALE_SET)
    await register.track(SCALE_SET)
    assert (await register.record(vm)).kind is Kind.CATTLE
    register.runs("1.1.0", "vm-flex")
    await register.track(SCALE_SET)
    record = await register.record(vm)
    assert (record.deleted_at, record.scale_set_id, record.kind) == (None, "", Kind.PET)


async def test_a_large_scale_set_is_done_in_one_message(register: Register) -> None:
    await register.release("1.1.0")
    for number in range(250):
        register.instance(number, "1.1.0")
    assert await register.track(SCALE_SET) == []
    assert await register.track(SCALE_SET) == []
    page = await register.records.vms.users_of_image(IMAGE_ID, limit=1000)
    assert len(page.items) == 251


@pytest.mark.parametrize("dies_at", range(1, 4))
async def test_a_scale_set_message_that_dies_midway_ends_the_same(
    register: Register, dies_at: int
) -> None:
    await register.release("1.1.0", VersionState.REVOKED)
    for number in range(3):
        register.instance(number, "1.1.0")
    register.vms = _DiesAtSave(register.records.vms, dies_at)
    with pytest.raises(ConnectionError):
        await register.track(SCALE_SET)
    register.vms = register.records.vms
    register.wait(minutes=10)
    announced = verdicts(await register.track(SCALE_SET))
    assert sorted(announced) == [
        *((str(n), "", "revoked") for n in range(3)),
        ("api", "", "retired"),
    ]
    for number in range(3):
        assert (await register.record(f"{SCALE_SET}/virtualmachines/{number}")).transitions == 2


class _DiesAtSave:
    """VM records whose connection breaks right after one of the savings, for good."""

    def __init__(self, vms: Any, at: int) -> None:
        self._vms, self._left = vms, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vms, name)

    async def save(self, old: Any, new: VmEntry, transitions: Any = ()) -> None:
        if self._left > 0:
            await self._vms.save(old, new, transitions)
        self._left -= 1
        if self._left <= 0:
            raise ConnectionError
