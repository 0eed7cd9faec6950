"""When the register of versions changes, the VMs that run them are judged again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.identifiers import vm_key
from shared.domain.image_version import VersionState
from shared.domain.vm_record import Machine, Rule, Verdict
from shared.errors import BadMessageError
from shared.messages import (
    Delayed,
    JudgeImageUsers,
    JudgeVm,
    PromoteImage,
    TrackImageVersion,
)
from tests.fakes.definitions import ubuntu
from tests.fakes.fleet import COMPUTE, vm_facts
from tests.unit.fleet.register import IMAGE_ID, NAME, NOON, Register, verdicts


async def test_a_release_ages_the_vms_of_the_version_before(register: Register) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0")
    await register.track(vm)
    await register.release("1.2.0")
    register.wait(hours=1)
    assert await register.judge_users() == [
        JudgeVm(vm_keys=(vm_key(vm),), because="version 1.2.0 was published")
    ]
    assert verdicts(await register.judge([vm_key(vm)])) == [("vm-1", "current", "aged")]
    line = (await register.history(vm))[-1]
    assert (line.what, line.old, line.new, line.because) == (
        "verdict", "current", "aged", "version 1.2.0 was published"
    )  # fmt: skip
    record = await register.record(vm)
    assert record.reason == (
        f"Version 1.1.0 of {NAME} is behind by 1 released version in westeurope; "
        "redeploy from 1.2.0."
    )
    assert register.fleet.reads == [vm]


async def test_users_are_judged_a_page_at_a_time(register: Register) -> None:
    await register.release("1.1.0")
    vms = [register.runs("1.1.0", f"vm-{n:03}") for n in range(750)]
    for vm in vms:
        await register.track(vm)
    await register.release("1.2.0")
    sizes: list[list[int]] = []
    keys: list[str] = []
    cursor = up_to = ""
    while True:
        messages = await register.judge_users("1.2.0", cursor=cursor, up_to=up_to)
        pages = [m for m in messages if isinstance(m, JudgeVm)]
        sizes.append([len(page.vm_keys) for page in pages])
        keys += [key for page in pages for key in page.vm_keys]
        following = [m for m in messages if isinstance(m, JudgeImageUsers)]
        if not following:
            break
        cursor, up_to = following[0].cursor, following[0].up_to
    assert sizes == [[100] * 5, [100, 100, 50]]
    assert sorted(keys) == sorted(vm_key(vm) for vm in vms)


async def test_the_pages_go_on_when_another_version_changes_between_two_of_them(
    register: Register,
) -> None:
    for version in ("1.1.0", "1.2.0"):
        await register.release(version)
    vms = [register.runs("1.1.0", f"vm-{n:03}") for n in range(501)]
    for vm in vms:
        await register.track(vm)
    await register.release("1.1.0", VersionState.REVOKED)
    [following] = [m for m in await register.judge_users("1.1.0") if isinstance(m, JudgeImageUsers)]
    await register.release("1.2.0", VersionState.REVOKED)

    last = await register.judge_users("1.1.0", cursor=following.cursor, up_to=following.up_to)

    assert [len(m.vm_keys) for m in last if isinstance(m, JudgeVm)] == [1]


async def test_the_users_are_looked_at_a_second_time(register: Register) -> None:
    first = JudgeImageUsers(
        image_id=IMAGE_ID, image_version="1.2.0", because="version 1.2.0 was published"
    )
    assert await register.judge_users("1.2.0", second_look=False) == [
        Delayed(command=replace(first, second_look=True), delay=timedelta(seconds=60))
    ]


async def test_only_vms_that_come_off_differently_get_a_message(register: Register) -> None:
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        await register.release(version)
    vms = {v: register.runs(v, f"vm-{v}") for v in ("1.1.0", "1.2.0", "1.3.0")}
    for vm in vms.values():
        await register.track(vm)
    await register.release("1.2.0", VersionState.REVOKED)
    assert [m.vm_keys for m in await register.judge_users("1.2.0") if isinstance(m, JudgeVm)] == [
        (vm_key(vms["1.1.0"]), vm_key(vms["1.2.0"]))
    ]


async def test_users_above_a_version_nobody_is_sent_to_are_not_looked_at(
    register: Register,
) -> None:
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        await register.release(version)
        await register.track(register.runs(version, f"vm-{version}"))
    register.vms = counted = _Pages(register.records.vms)
    await register.judge_users("1.1.0")
    assert [[r.image.version for r in page] for page in counted.pages] == [["1.1.0"]]
    await register.judge_users("1.3.0")
    assert [r.image.version for r in counted.pages[-1]] == ["1.1.0", "1.2.0", "1.3.0"]


async def test_the_grace_of_a_withdrawn_version_begins_when_it_is_withdrawn(
    register: Register,
) -> None:
    await register.release("1.1.0")
    await register.release("1.2.0")
    vm = register.runs("1.2.0", created_at=NOON)
    await register.track(vm)
    register.wait(days=60)
    await register.release("1.2.0", withdrawn="it breaks logins", excluded_from_latest=True)
    await register.judge([vm_key(vm)])
    register.wait(days=1)
    await register.judge([vm_key(vm)])

    record = await register.record(vm)

    withdrawn = NOON + timedelta(days=60)
    assert (record.rule, record.since) == (Rule.WITHDRAWN, withdrawn)
    assert record.due_at == withdrawn + timedelta(days=30)


async def test_the_grace_of_an_aged_vm_ends_though_the_versions_that_aged_it_are_retired(
    register: Register,
) -> None:
    await register.release("1.0.0")
    vm = register.runs("1.0.0", created_at=NOON)
    await register.track(vm)
    for week in range(1, 9):
        register.wait(weeks=1)
        await register.release(f"1.{week}.0", published_at=register.now)
        if week > 2:
            await register.release(f"1.{week - 2}.0", VersionState.RETIRED)
        await register.judge([vm_key(vm)])

    record = await register.record(vm)

    aged = NOON + timedelta(weeks=1)
    assert (record.verdict, record.behind, record.since) == (Verdict.AGED, 2, aged)
    assert record.due_at == aged + timedelta(days=30)


async def test_a_scale_set_that_takes_the_latest_is_judged_with_every_version(
    register: Register,
) -> None:
    for version in ("1.1.0", "1.2.0"):
        await register.release(version)
    instance = register.instance(0, "1.2.0")
    await register.track(instance.scale_set_id)
    model = await register.record(instance.scale_set_id)
    assert (model.machine, model.verdict, model.rule) == (
        Machine.SCALE_SET, Verdict.CURRENT, Rule.FOLLOWS_LATEST
    )  # fmt: skip
    for version in ("1.1.0", "1.2.0"):
        await register.release(version, VersionState.REVOKED)
    keys = [m.vm_keys for m in await register.judge_users("1.1.0") if isinstance(m, JudgeVm)]
    assert model.key in keys[0]
    assert verdicts(await register.judge([model.key])) == [("api", "current", "retired")]
    assert (await register.record(instance.scale_set_id)).rule is Rule.NOTHING_OFFERED


class _Pages:
    """VM records that remember which pages of users were read."""

    def __init__(self, vms: Any) -> None:
        self._vms, self.pages = vms, list[Any]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vms, name)

    async def users_of_image(self, image_id: str, **asked: Any) -> Any:
        page = await self._vms.users_of_image(image_id, **asked)
        self.pages.append(page.items)
        return page


async def test_an_image_without_users_needs_no_judging(register: Register) -> None:
    assert await register.judge_users() == []


async def test_vms_that_come_off_the_same_are_not_written(register: Register) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0")
    await register.track(vm)
    before = await register.records.vms.get(vm_key(vm))
    register.wait(days=1)
    assert await register.judge([vm_key(vm)]) == []
    assert await register.records.vms.get(vm_key(vm)) == before


async def test_vms_unknown_or_gone_are_not_judged(register: Register) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0")
    await register.track(vm)
    register.fleet.remove(vm)
    await register.track(vm)
    await register.release("1.1.0", VersionState.REVOKED)
    unknown = vm_key(f"{COMPUTE}/virtualmachines/unknown")
    assert await register.judge([vm_key(vm), unknown]) == []
    assert (await register.record(vm)).verdict is Verdict.CURRENT


async def test_a_repeated_judging_announces_the_same_event_again(register: Register) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0")
    await register.track(vm)
    await register.release("1.1.0", VersionState.REVOKED)
    first = await register.judge([vm_key(vm)])
    register.wait(minutes=10)
    assert await register.judge([vm_key(vm)]) == first
    assert verdicts(first) == [("vm-1", "current", "revoked")]


async def test_judging_for_another_reason_announces_nothing_twice(register: Register) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0")
    await register.track(vm)
    await register.release("1.1.0", VersionState.REVOKED)
    await register.judge([vm_key(vm)])
    assert await register.judge([vm_key(vm)], because="version 1.1.0 changed") == []
    assert await register.track(vm) == []


async def test_the_versions_are_read_once_for_a_page(register: Register) -> None:
    await register.release("1.1.0")
    vms = [register.runs("1.1.0", f"vm-{n}") for n in range(30)]
    for vm in vms:
        await register.track(vm)
    register.image_versions = counted = _Counted(register.records.image_versions)
    await register.judge([vm_key(vm) for vm in vms])
    assert counted.lists == 1


class _Counted:
    """A register of versions that counts how often it is listed."""

    def __init__(self, image_versions: Any) -> None:
        self._image_versions = image_versions
        self.lists = 0

    async def list(self, definition: str) -> Any:
        self.lists += 1
        return await self._image_versions.list(definition)


# --- the gallery speaks ---------------------------------------------------------------------------

VERSION = f"{IMAGE_ID}/versions/1.1.0"


def _judging(because: str) -> JudgeImageUsers:
    return JudgeImageUsers(image_id=IMAGE_ID, image_version="1.1.0", because=because)


async def test_a_version_deleted_from_the_gallery_is_written_down_and_its_users_judged(
    register: Register,
) -> None:
    await register.release("1.1.0")
    follows = await register.track_version(VERSION.replace("resourcegroups", "resourceGroups"))
    judging = _judging("version 1.1.0 was deleted from the gallery")
    assert follows == [judging]
    stored = await register.records.image_versions.get(NAME, "1.1.0")
    assert stored is not None
    assert stored.value.deleted_at == NOON
    assert [(t.what, t.because) for t in stored.value.history] == [
        ("deleted", "gone from the gallery")
    ]
    register.wait(minutes=10)
    assert await register.track_version(VERSION) == [judging]
    assert await register.records.image_versions.get(NAME, "1.1.0") == stored


async def test_a_version_changed_in_the_gallery_is_written_down_as_it_is(
    register: Register,
) -> None:
    await register.release("1.1.0")
    register.gallery.put(
        IMAGE_ID, "1.1.0", regions={"northeurope": 1, "westeurope": 2}, excluded=True, looks=0
    )
    everybody = JudgeImageUsers(image_id=IMAGE_ID, because="version 1.1.0 changed in the gallery")
    assert await register.track_version(VERSION) == [everybody]
    stored = await register.records.image_versions.get(NAME, "1.1.0")
    assert stored is not None
    assert stored.value.regions == ("northeurope", "westeurope")
    assert stored.value.excluded_from_latest


async def test_the_channels_look_when_a_version_is_published_otherwise_than_they_left_it(
    register: Register,
) -> None:
    await register.release("1.1.0", aligned_with="what the channels wished")
    register.gallery.put(IMAGE_ID, "1.1.0", regions={"westeurope": 1}, excluded=True, looks=0)
    hidden = _judging("version 1.1.0 changed in the gallery")
    assert await register.track_version(VERSION) == [PromoteImage(definition=NAME), hidden]
    assert await register.track_version(VERSION) == [hidden]


async def test_a_version_azure_works_on_keeps_its_regions(register: Register) -> None:
    await register.release("1.1.0")
    before = await register.records.image_versions.get(NAME, "1.1.0")
    register.gallery.put(IMAGE_ID, "1.1.0", regions={"northeurope": 1}, looks=9)
    assert await register.track_version(VERSION) == [
        _judging("version 1.1.0 changed in the gallery")
    ]
    assert await register.records.image_versions.get(NAME, "1.1.0") == before


async def test_a_version_in_the_making_is_left_to_the_factory(register: Register) -> None:
    await register.release("1.1.0", VersionState.CANDIDATE)
    before = await register.records.image_versions.get(NAME, "1.1.0")
    assert await register.track_version(VERSION) == []
    assert await register.records.image_versions.get(NAME, "1.1.0") == before


async def test_a_rejected_version_that_goes_is_written_down_but_judges_nobody(
    register: Register,
) -> None:
    await register.release("1.1.0", VersionState.REJECTED)
    assert await register.track_version(VERSION) == []
    stored = await register.records.image_versions.get(NAME, "1.1.0")
    assert stored is not None
    assert stored.value.deleted_at == NOON


async def test_images_that_are_not_ours_and_versions_not_registered_mean_nothing(
    register: Register,
) -> None:
    assert await register.track_version(VERSION) == []
    assert await register.track_version(f"{COMPUTE}/galleries/other/images/i/versions/1.0.0") == []


async def test_what_is_no_gallery_image_is_refused(register: Register) -> None:
    with pytest.raises(BadMessageError, match=r"'1\.1\.0' is no gallery image"):
        await register.track_version("1.1.0")


async def test_with_an_image_go_all_of_its_versions(register: Register) -> None:
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        await register.release(version)
    await register.release("1.4.0", VersionState.CANDIDATE)
    await register.release("1.0.0", deleted_at=NOON)
    register.gallery.put(IMAGE_ID, "1.2.0")
    assert await register.track_version(IMAGE_ID) == [
        TrackImageVersion(resource_id=f"{IMAGE_ID}/versions/{version}")
        for version in ("1.3.0", "1.1.0")
    ]


async def test_a_version_whose_definition_was_removed_is_still_known(register: Register) -> None:
    """Another definition is left: the gallery is still ours."""
    await register.release("1.1.0")
    vm = register.runs("1.1.0")
    await register.track(vm)
    register.definitions = {"other": replace(ubuntu(), name="other")}
    assert await register.track_version(VERSION) == [
        _judging("version 1.1.0 was deleted from the gallery")
    ]
    assert verdicts(await register.judge([vm_key(vm)])) == [("vm-1", "current", "retired")]
    assert (await register.record(vm)).definition == NAME


async def test_an_image_in_our_gallery_that_nobody_registered_is_not_ours(
    register: Register,
) -> None:
    stray = IMAGE_ID.replace(NAME, "stray")
    vm = register.fleet.put(vm_facts(image_id=stray, version="1.1.0"))
    await register.track(vm)
    record = await register.record(vm)
    assert (record.definition, record.rule) == ("", Rule.FOREIGN)
