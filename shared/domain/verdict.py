"""The verdict: how the image a VM runs stands today, and why, in one sentence."""

from collections.abc import Sequence

from shared.domain.identifiers import normalise_region
from shared.domain.image_version import ImageVersion, VersionState, newest_in_region
from shared.domain.versions import version_key
from shared.domain.vm_record import Image, Verdict

_NEVER_RELEASED = frozenset({VersionState.RESERVED, VersionState.CANDIDATE, VersionState.REJECTED})


def judge(
    image: Image, *, region: str, definition: str, versions: Sequence[ImageVersion] | None
) -> tuple[Verdict, str]:
    """Judge *image* in *region* by the register's *versions* of our image *definition*.

    *versions* is None when the image is not one of ours. The reason ends with what to do, where
    something is to be done.
    """
    verdict, reason = _judge(image, normalise_region(region), definition, versions)
    if image.mismatch:
        reason = reason.removesuffix(".") + (
            "; VM and OS disk name different images, find out whether the disk was swapped."
        )
    return verdict, reason


def _judge(
    image: Image, region: str, definition: str, versions: Sequence[ImageVersion] | None
) -> tuple[Verdict, str]:
    if not image.image_id:
        return Verdict.UNKNOWN, (
            "Azure does not say which image this VM was made from; "
            "redeploy it from a released image version."
        )
    if versions is None:
        return Verdict.UNAPPROVED, (
            f"{_name(image)} is not one of our images; "
            "redeploy the VM from a released image version."
        )
    if not image.version:
        return Verdict.UNKNOWN, (
            f"Azure does not say which version of {definition} this VM was made from; "
            "redeploy it from a released image version."
        )
    return _judge_ours(image.version, region, definition, list(versions))


def _judge_ours(
    version: str, region: str, definition: str, versions: list[ImageVersion]
) -> tuple[Verdict, str]:
    newest = newest_in_region(versions, region)
    what_to_do = _advice(newest, region)
    running = next((v for v in versions if v.version == version), None)
    if running is None:
        return Verdict.UNAPPROVED, (
            f"Version {version} of {definition} is not in the register; {what_to_do}."
        )
    if running.state in _NEVER_RELEASED:
        return Verdict.UNAPPROVED, (
            f"Version {version} of {definition} was never released, it is {running.state}; "
            f"{what_to_do}."
        )
    if running.state is VersionState.REVOKED:
        return Verdict.REVOKED, (
            f"Version {version} of {definition} was revoked{_because(running)}; {what_to_do} now."
        )
    if running.state is VersionState.RETIRED or running.deleted_at is not None:
        how = "was deleted from the gallery" if running.deleted_at else "is retired"
        return Verdict.RETIRED, f"Version {version} of {definition} {how}; {what_to_do}."
    return _by_age(running, newest, region, versions)


def _by_age(
    running: ImageVersion,
    newest: ImageVersion | None,
    region: str,
    versions: list[ImageVersion],
) -> tuple[Verdict, str]:
    name = f"Version {running.version} of {running.definition}"
    if running.withdrawn and newest is not running:
        what_to_do = _advice(newest, region)
        return Verdict.AGED, f"{name} was taken back ({running.withdrawn}); {what_to_do}."
    if newest is None:
        return Verdict.CURRENT, f"{name} is released, and {region} offers no other version."
    own, best = version_key(running.version), version_key(newest.version)
    if own == best:
        return Verdict.CURRENT, f"{name} is the newest in {region}."
    if own > best:
        trial = "; it is on trial" if running.excluded_from_latest else ""
        return Verdict.CURRENT, (
            f"{name} is released and newer than {newest.version}, the newest {region} offers"
            f"{trial}."
        )
    behind = _between(running, newest, region, versions)
    count = "1 released version" if behind == 1 else f"{behind} released versions"
    return Verdict.AGED, (
        f"{name} is behind by {count} in {region}; redeploy from {newest.version}."
    )


def _between(
    running: ImageVersion, newest: ImageVersion, region: str, versions: list[ImageVersion]
) -> int:
    """Count the versions newer than *running*, up to *newest*, that *region* offers."""
    own, best = version_key(running.version), version_key(newest.version)
    newer = [v for v in versions if own < version_key(v.version) <= best]
    return sum(1 for v in newer if newest_in_region([v], region) is not None)


def _advice(newest: ImageVersion | None, region: str) -> str:
    if newest is None:
        return f"ask the platform team for a version released in {region} and redeploy from it"
    return f"redeploy from {newest.version}"


def _because(version: ImageVersion) -> str:
    """Return why *version* was revoked, in parentheses, as its history tells."""
    reasons = [t.because for t in version.history if t.new == VersionState.REVOKED and t.because]
    return f" ({reasons[-1]})" if reasons else ""


def _name(image: Image) -> str:
    return f"{image.image_id} {image.version}".strip()
