"""Bringing the gallery into line with the channels: one look at each version that is not yet."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.history import Transition
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.publishing import Wish, wish_for
from shared.factory.releases import Loaded
from shared.factory.withdraw import STATE_TAG
from shared.ports import Gallery, GalleryVersion, ImageVersions, Publishing, Stored

_PUBLISHED = frozenset({VersionState.RELEASED, VersionState.AGED, VersionState.REVOKED})
_DISTANT = timedelta(days=3650)
"""The end of life of a version that is released again: Azure has no way to take a date back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one look went: what there is now, and what is still under way."""

    loaded: Loaded
    pending: bool = False
    problem: str = ""


async def align_gallery(
    loaded: Loaded,
    definition: ImageDefinition,
    *,
    image_versions: ImageVersions,
    gallery: Gallery,
) -> Outcome:
    """Ask for whatever the gallery lacks, and write what it shows into the register.

    What is revoked is hidden at once. What was only taken back or never promoted is hidden when
    what takes its place is offered, so that there is always a latest.
    """
    outcome = Outcome(loaded=loaded)
    for row in _in_order(loaded, definition):
        wish = wish_for(row.value, loaded.releases, definition)
        if _known_to_fit(row.value, wish):
            continue
        if outcome.pending and wish.excluded_from_latest and not _urgent(row.value):
            return outcome
        one = await _one(row, wish, gallery, loaded.releases.now)
        held = outcome.loaded
        if one.row != row.value:
            saved = await image_versions.save(replace(row, value=one.row))
            held = held.replaced(saved)
        outcome = Outcome(
            loaded=held,
            pending=outcome.pending or one.pending,
            problem=outcome.problem or one.problem,
        )
    return outcome


def _in_order(loaded: Loaded, definition: ImageDefinition) -> list[Stored[ImageVersion]]:
    """Return the versions to publish: what is revoked first, what is offered next."""
    rows = [r for r in loaded.rows if r.value.state in _PUBLISHED and r.value.deleted_at is None]

    def rank(row: Stored[ImageVersion]) -> int:
        if _urgent(row.value):
            return 0
        excluded = wish_for(row.value, loaded.releases, definition).excluded_from_latest
        return 2 if excluded else 1

    return sorted(rows, key=rank)


def _urgent(version: ImageVersion) -> bool:
    return version.state is VersionState.REVOKED


def _known_to_fit(version: ImageVersion, wish: Wish) -> bool:
    """Tell whether the register says that the gallery publishes *version* as wished."""
    wanted = {name for name, _ in wish.regions} - wish.excluded_regions
    return (
        version.aligned_with == wish.key
        and version.excluded_from_latest == wish.excluded_from_latest
        and (wish.excluded_from_latest or wanted <= set(version.regions))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    row: ImageVersion
    pending: bool = False
    problem: str = ""


async def _one(row: Stored[ImageVersion], wish: Wish, gallery: Gallery, now: datetime) -> _Look:
    version = row.value
    found = await gallery.version(version.image_id, version.version)
    if found is None:
        return _Look(row=_gone(version, now), pending=True)
    state = found.provisioning_state.lower()
    problem = _problem(version, found, wish)
    if state == "failed" or (state == "succeeded" and not _fits(found, wish)):
        publishing = _publishing(found, wish, now)
        await gallery.set_publishing(version.image_id, version.version, publishing)
        return _Look(row=version, pending=True, problem=problem)
    wanted = {name for name, _ in wish.regions}
    if state != "succeeded" or not wanted <= found.replicated:
        return _Look(row=version, pending=True, problem=problem)
    seen = replace(
        version,
        regions=tuple(sorted(found.replicated - found.excluded_regions)),
        excluded_from_latest=found.excluded_from_latest,
        aligned_with=wish.key,
    )
    return _Look(row=seen)


def _problem(version: ImageVersion, found: GalleryVersion, wish: Wish) -> str:
    failed = found.failed_regions & {name for name, _ in wish.regions}
    if failed:
        return (
            f"replication of version {version.version} failed in {', '.join(sorted(failed))}; take "
            "the region from the version in the gallery, and it is added anew"
        )
    if found.provisioning_state.lower() == "failed":
        return f"Azure failed to update version {version.version}; it is asked again"
    return ""


def _fits(found: GalleryVersion, wish: Wish) -> bool:
    return (
        found.excluded_from_latest == wish.excluded_from_latest
        and (wish.excluded_from_latest or found.excluded_regions == wish.excluded_regions)
        and all(found.regions.get(name) == count for name, count in wish.regions)
        and (wish.end_of_life is None or _same(found.end_of_life, wish.end_of_life))
        and found.deletion_blocked == wish.block_deletion
        and found.tags.get(STATE_TAG) == wish.state
    )


def _same(left: datetime | None, right: datetime) -> bool:
    """Azure keeps whole seconds."""
    return left is not None and abs(left - right) < timedelta(seconds=2)


def _publishing(found: GalleryVersion, wish: Wish, now: datetime) -> Publishing:
    """Return what to ask for: the wish, and every region the version has besides."""
    end = wish.end_of_life
    if end is None and found.end_of_life is not None:
        end = now + _DISTANT
    if end is not None and end <= now:
        end = None  # Azure takes a date in the future only
    return Publishing(
        regions={**found.regions, **dict(wish.regions)},
        excluded_from_latest=wish.excluded_from_latest,
        excluded_regions=wish.excluded_regions,
        end_of_life=end,
        block_deletion=wish.block_deletion,
        tags={**found.tags, STATE_TAG: str(wish.state)},
    )


def _gone(version: ImageVersion, now: datetime) -> ImageVersion:
    line = Transition(
        what="deleted", old="", new=now.isoformat(), at=now, because="gone from the gallery"
    )
    return replace(version, deleted_at=now, history=(*version.history, line))
