"""How the image a VM runs stands today, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.history import Transition
from shared.domain.image_version import ImageVersion, VersionState, newest_in_region
from shared.domain.verdict import Judgement, concerned_up_to, judge
from shared.domain.versions import version_key
from shared.domain.vm_record import Image, LineageSource, Machine, Rule, Verdict

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
IMAGE_ID = (
    "/subscriptions/0000/resourcegroups/rg/providers/microsoft.compute/galleries/g/images/ubuntu"
)


def version(
    number: str,
    state: VersionState = VersionState.RELEASED,
    *,
    regions: tuple[str, ...] = ("westeurope",),
    excluded: bool = False,
) -> ImageVersion:
    return ImageVersion(
        definition="ubuntu",
        version=number,
        image_id=IMAGE_ID,
        state=state,
        build_id="b",
        attempt=1,
        source_urn="canonical:ubuntu:22",
        source_version="22.04.1",
        customization_digest="d",
        created_at=NOON,
        tattoo={},
        regions=regions,
        excluded_from_latest=excluded,
    )


def verdict(
    number: str, *versions: ImageVersion, region: str = "westeurope"
) -> tuple[Verdict, str]:
    said = judged(number, *versions, region=region)
    return said.verdict, said.reason


def judged(
    number: str,
    *versions: ImageVersion,
    region: str = "westeurope",
    machine: Machine = Machine.VM,
) -> Judgement:
    image = Image(image_id=IMAGE_ID, version=number, source=LineageSource.IMAGE_REFERENCE)
    return judge(image, region=region, definition="ubuntu", versions=versions, machine=machine)


def test_a_vm_without_lineage_is_unknown() -> None:
    said = judge(Image(), region="westeurope", definition="", versions=None)
    assert (said.verdict, said.reason) == (
        Verdict.UNKNOWN,
        "Azure does not say which image this VM was made from; "
        "redeploy it from a released image version.",
    )


def test_a_vm_of_our_image_without_a_version_is_unknown() -> None:
    assert verdict("", version("1.1.1")) == (
        Verdict.UNKNOWN,
        "Azure does not say which version of ubuntu this VM was made from; "
        "redeploy it from a released image version.",
    )


def test_an_image_that_is_not_ours_is_unapproved() -> None:
    image = Image(image_id="canonical:ubuntuserver:18.04-lts", version="18.04.1")
    said = judge(image, region="westeurope", definition="", versions=None)
    assert (said.verdict, said.reason) == (
        Verdict.UNAPPROVED,
        "canonical:ubuntuserver:18.04-lts 18.04.1 is not one of our images; "
        "redeploy the VM from a released image version.",
    )


def test_a_version_the_register_does_not_know_is_unapproved() -> None:
    assert verdict("9.9.9", version("1.1.1")) == (
        Verdict.UNAPPROVED,
        "Version 9.9.9 of ubuntu is not in the register; redeploy from 1.1.1.",
    )


@pytest.mark.parametrize(
    "state", [VersionState.RESERVED, VersionState.CANDIDATE, VersionState.REJECTED]
)
def test_a_version_never_released_is_unapproved(state: VersionState) -> None:
    assert verdict("1.1.2", version("1.1.2", state), version("1.1.1")) == (
        Verdict.UNAPPROVED,
        f"Version 1.1.2 of ubuntu was never released, it is {state}; redeploy from 1.1.1.",
    )


def test_a_revoked_version_says_why_and_what_to_do_now() -> None:
    revoked = replace(
        version("1.1.1", VersionState.REVOKED),
        history=(
            Transition(what="state", old="released", new="revoked", at=NOON, because="CVE-2026-1"),
        ),
    )
    assert verdict("1.1.1", version("1.1.2"), revoked) == (
        Verdict.REVOKED,
        "Version 1.1.1 of ubuntu was revoked (CVE-2026-1); redeploy from 1.1.2 now.",
    )


def test_a_revoked_version_with_no_other_in_the_region_sends_to_the_platform_team() -> None:
    assert verdict("1.1.1", version("1.1.1", VersionState.REVOKED)) == (
        Verdict.REVOKED,
        "Version 1.1.1 of ubuntu was revoked; ask the platform team for a version released in "
        "westeurope and redeploy from it now.",
    )


def test_a_retired_version_is_retired() -> None:
    assert verdict("1.1.1", version("1.1.2"), version("1.1.1", VersionState.RETIRED)) == (
        Verdict.RETIRED,
        "Version 1.1.1 of ubuntu is retired; redeploy from 1.1.2.",
    )


def test_a_version_deleted_from_the_gallery_is_retired() -> None:
    deleted = replace(version("1.1.1"), deleted_at=NOON)
    assert verdict("1.1.1", version("1.1.2"), deleted) == (
        Verdict.RETIRED,
        "Version 1.1.1 of ubuntu was deleted from the gallery; redeploy from 1.1.2.",
    )


def test_the_newest_version_in_the_region_is_current() -> None:
    assert verdict("1.1.2", version("1.1.2"), version("1.1.1", VersionState.AGED)) == (
        Verdict.CURRENT,
        "Version 1.1.2 of ubuntu is the newest in westeurope.",
    )


def test_age_is_counted_in_released_versions_by_number() -> None:
    versions = (version("1.1.10"), version("1.1.9"), version("1.1.2", VersionState.AGED))
    assert verdict("1.1.2", *versions) == (
        Verdict.AGED,
        "Version 1.1.2 of ubuntu is behind by 2 released versions in westeurope; "
        "redeploy from 1.1.10.",
    )
    assert verdict("1.1.9", *versions) == (
        Verdict.AGED,
        "Version 1.1.9 of ubuntu is behind by 1 released version in westeurope; "
        "redeploy from 1.1.10.",
    )


def test_versions_the_region_does_not_offer_make_no_vm_older() -> None:
    versions = (
        version("1.1.4", regions=("eastus",)),
        version("1.1.3", excluded=True),
        version("1.1.2", VersionState.REVOKED),
        version("1.1.1"),
    )
    assert verdict("1.1.1", *versions) == (
        Verdict.CURRENT,
        "Version 1.1.1 of ubuntu is the newest in westeurope.",
    )


def test_the_verdict_is_by_the_region_of_the_vm() -> None:
    versions = (version("1.1.2", regions=("eastus2",)), version("1.1.1", regions=("eastus2",)))
    assert verdict("1.1.1", *versions, region="East US 2")[0] is Verdict.AGED


def test_a_version_newer_than_the_region_offers_is_current() -> None:
    versions = (version("1.1.2", regions=("eastus",)), version("1.1.1"))
    assert verdict("1.1.2", *versions) == (
        Verdict.CURRENT,
        "Version 1.1.2 of ubuntu is released and newer than what latest means in westeurope.",
    )


def test_a_released_version_is_current_where_the_region_offers_none() -> None:
    assert verdict("1.1.2", version("1.1.2", regions=("eastus",))) == (
        Verdict.CURRENT,
        "Version 1.1.2 of ubuntu is released, and westeurope offers no other version.",
    )


def test_a_swapped_disk_is_told_with_the_verdict() -> None:
    image = Image(image_id=IMAGE_ID, version="1.1.1", source=LineageSource.DISK, mismatch=True)
    found = judge(image, region="westeurope", definition="ubuntu", versions=[version("1.1.1")])
    assert (found.verdict, found.reason) == (
        Verdict.CURRENT,
        "Version 1.1.1 of ubuntu is the newest in westeurope; VM and OS disk name different "
        "images, find out whether the disk was swapped.",
    )


def test_a_version_on_trial_is_current_and_the_reason_says_so() -> None:
    trial = replace(version("1.1.2"), excluded_from_latest=True)
    assert verdict("1.1.2", trial, version("1.1.1")) == (
        Verdict.CURRENT,
        "Version 1.1.2 of ubuntu is released and newer than what latest means in westeurope; "
        "it is on trial.",
    )


def test_a_version_taken_back_is_aged_with_the_reason() -> None:
    withdrawn = replace(version("1.1.2"), excluded_from_latest=True, withdrawn="it is slow")
    assert verdict("1.1.2", withdrawn, version("1.1.1")) == (
        Verdict.AGED,
        "Version 1.1.2 of ubuntu was taken back (it is slow); redeploy from 1.1.1.",
    )


# --- which rule, since when, how far behind, what to use instead ----------------------------------


def published(number: str, day: int, **more: Any) -> ImageVersion:
    return replace(version(number), published_at=NOON + timedelta(days=day), **more)


def test_a_vm_is_aged_since_the_first_newer_version_came_to_its_region() -> None:
    said = judged(
        "1.1.1",
        published("1.1.4", 3, regions=("eastus",)),
        published("1.1.3", 9),
        published("1.1.2", 5),
        published("1.1.1", 1),
    )
    assert (said.rule, said.since, said.behind, said.newest, said.published_at) == (
        Rule.BEHIND, NOON + timedelta(days=5), 2, "1.1.3", NOON + timedelta(days=1)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "rule", "verdict"),
    [
        (VersionState.REVOKED, Rule.REVOKED, Verdict.REVOKED),
        (VersionState.RETIRED, Rule.RETIRED, Verdict.RETIRED),
    ],
)
def test_a_version_out_of_use_is_so_since_its_history_says(
    state: VersionState, rule: Rule, verdict: Verdict
) -> None:
    end = NOON + timedelta(days=7)
    gone = version("1.1.1", VersionState.AGED).become(state, now=end, because="CVE")
    said = judged("1.1.1", gone, version("1.1.2"))
    assert (said.verdict, said.rule, said.since, said.newest) == (verdict, rule, end, "1.1.2")


def test_a_deleted_version_is_retired_since_its_deletion() -> None:
    gone = replace(version("1.1.1"), deleted_at=NOON)
    said = judged("1.1.1", gone)
    assert (said.rule, said.since, said.newest) == (Rule.DELETED, NOON, "")


def test_a_current_vm_needs_no_other_version() -> None:
    assert judged("1.1.1", version("1.1.1")).newest == ""


def test_a_scale_set_that_takes_the_latest_is_current_while_there_is_one() -> None:
    model = judged("", version("1.1.1"), machine=Machine.SCALE_SET)
    assert (model.verdict, model.rule, model.reason) == (
        Verdict.CURRENT,
        Rule.FOLLOWS_LATEST,
        "New instances run the latest version of ubuntu in westeurope.",
    )


def test_a_scale_set_with_nothing_to_scale_out_with_is_told_so() -> None:
    model = judged("", version("1.1.1", VersionState.REVOKED), machine=Machine.SCALE_SET)
    assert (model.verdict, model.rule, model.reason) == (
        Verdict.RETIRED,
        Rule.NOTHING_OFFERED,
        "westeurope offers no version of ubuntu, so the scale set cannot scale out; ask the "
        "platform team for a version released there.",
    )


def test_a_scale_set_of_an_exact_version_is_judged_as_a_vm_is() -> None:
    model = judged("1.1.1", version("1.1.1"), version("1.1.2"), machine=Machine.SCALE_SET)
    assert (model.verdict, model.rule) == (Verdict.AGED, Rule.BEHIND)


def test_a_change_below_the_newest_everywhere_concerns_nobody_above_it() -> None:
    versions = [version("1.1.1"), version("1.1.2"), version("1.1.3", regions=("eastus",))]
    assert concerned_up_to("1.1.1", versions) == "1.1.1"
    assert concerned_up_to("1.1.2", versions) == ""
    assert concerned_up_to("1.1.3", versions) == ""
    assert concerned_up_to("1.1.1", []) == ""


@given(data=st.data())
def test_nobody_above_what_a_change_concerns_is_judged_differently_by_it(
    data: st.DataObject,
) -> None:
    """Change any one of five versions in any way, and hold the judgements before and after.

    Who is sent to a version that leaves a region altogether is left out: then all are judged.
    """
    states = st.sampled_from(
        [VersionState.RELEASED, VersionState.AGED, VersionState.REVOKED, VersionState.RETIRED]
    )
    regions = st.sets(st.sampled_from(["westeurope", "eastus"])).map(tuple)
    numbers = [f"1.1.{n}" for n in range(1, 6)]

    def any_version(number: str) -> ImageVersion:
        return version(
            number,
            data.draw(states),
            regions=data.draw(regions),
            excluded=data.draw(st.booleans()),
        )

    before = [any_version(number) for number in numbers]
    changed = data.draw(st.sampled_from(numbers))
    after = [any_version(v.version) if v.version == changed else v for v in before]
    was_sent_to = any(v.version == changed and _is_newest(v, before) for v in before)
    limit = concerned_up_to(changed, after)
    for number in numbers:
        for region in ("westeurope", "eastus"):
            same = judged(number, *before, region=region) == judged(number, *after, region=region)
            concerned = not limit or version_key(number) <= version_key(limit)
            assert same or concerned or was_sent_to


def _is_newest(candidate: ImageVersion, versions: list[ImageVersion]) -> bool:
    return any(newest_in_region(versions, region) is candidate for region in candidate.regions)
