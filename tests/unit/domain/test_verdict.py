"""How the image a VM runs stands today, and why."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.history import Transition
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.verdict import judge
from shared.domain.vm_record import Image, LineageSource, Verdict

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
    image = Image(image_id=IMAGE_ID, version=number, source=LineageSource.IMAGE_REFERENCE)
    return judge(image, region=region, definition="ubuntu", versions=versions)


def test_a_vm_without_lineage_is_unknown() -> None:
    assert judge(Image(), region="westeurope", definition="", versions=None) == (
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
    assert judge(image, region="westeurope", definition="", versions=None) == (
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
        "Version 1.1.2 of ubuntu is released and newer than 1.1.1, the newest westeurope offers.",
    )


def test_a_released_version_is_current_where_the_region_offers_none() -> None:
    assert verdict("1.1.2", version("1.1.2", regions=("eastus",))) == (
        Verdict.CURRENT,
        "Version 1.1.2 of ubuntu is released, and westeurope offers no other version.",
    )


def test_a_swapped_disk_is_told_with_the_verdict() -> None:
    image = Image(image_id=IMAGE_ID, version="1.1.1", source=LineageSource.DISK, mismatch=True)
    found = judge(image, region="westeurope", definition="ubuntu", versions=[version("1.1.1")])
    assert found == (
        Verdict.CURRENT,
        "Version 1.1.1 of ubuntu is the newest in westeurope; VM and OS disk name different "
        "images, find out whether the disk was swapped.",
    )


def test_a_version_on_trial_is_current_and_the_reason_says_so() -> None:
    trial = replace(version("1.1.2"), excluded_from_latest=True)
    assert verdict("1.1.2", trial, version("1.1.1")) == (
        Verdict.CURRENT,
        "Version 1.1.2 of ubuntu is released and newer than 1.1.1, the newest westeurope offers; "
        "it is on trial.",
    )


def test_a_version_taken_back_is_aged_with_the_reason() -> None:
    withdrawn = replace(version("1.1.2"), excluded_from_latest=True, withdrawn="it is slow")
    assert verdict("1.1.2", withdrawn, version("1.1.1")) == (
        Verdict.AGED,
        "Version 1.1.2 of ubuntu was taken back (it is slow); redeploy from 1.1.1.",
    )
