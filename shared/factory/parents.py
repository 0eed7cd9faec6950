"""The parent of a golden image: which version its channel shows, and what to build from it."""

from shared.domain.build import Build, Phase
from shared.domain.chain import taken_back, why_not_buildable, why_taken_back
from shared.domain.identifiers import digest, normalise_region
from shared.domain.image_definition import ImageDefinition, ParentSource, build_id
from shared.domain.image_version import ImageVersion
from shared.errors import NotFoundError, UnavailableError
from shared.messages import StartBuild
from shared.ports import Builds, Channels, Gallery, GalleryVersion, ImageVersions

BY_PARENT = "parent-version"
"""`requested_by` of builds that a move of the parent's channel asked for."""


async def version_shown(
    source: ParentSource, *, channels: Channels, image_versions: ImageVersions
) -> ImageVersion | None:
    """Return the version the parent's channel shows; None while nothing may be built from it."""
    record = await channels.get(source.image)
    number = record.value.channel(source.channel).version if record else ""
    row = await image_versions.get(source.image, number) if number else None
    return row.value if row and not why_not_buildable(row.value) else None


async def rebuild_wanted(
    definition: ImageDefinition,
    source: ParentSource,
    *,
    builds: Builds,
    channels: Channels,
    image_versions: ImageVersions,
) -> StartBuild | None:
    """Return the build that *definition* lacks of what its parent's channel shows, if any.

    A build is the only proof that one was asked for, so asking is repeated until there is one.
    After a rollback of the channel that build exists already, but its version is older than the
    one made from what was taken back: then one more is made, under the name of that version.
    """
    shown = await version_shown(source, channels=channels, image_versions=image_versions)
    if shown is None:
        return None
    force = ""
    existing = await builds.get(build_id(definition, shown.version))
    if existing:
        if existing.value.phase is not Phase.RELEASED:
            return None
        children = await image_versions.list(definition.name)
        child = taken_back((c.value for c in children), shown)
        if child is None:
            return None
        force = digest("rollback", child.version, shown.version)
        if await builds.get(build_id(definition, shown.version, force=force)):
            return None
    return StartBuild(
        definition=definition.name,
        source_version=shown.version,
        requested_by=BY_PARENT,
        force=force,
    )


async def parent_row(
    source: ParentSource, version: str, *, image_versions: ImageVersions
) -> ImageVersion:
    """Return the parent's *version*; NotFoundError when nothing may be built from it."""
    row = await image_versions.get(source.image, version)
    if row is None:
        raise NotFoundError(
            f"there is no version {version} of {source.image} to build from; ask for one of "
            "those in the register"
        )
    if problem := why_not_buildable(row.value):
        raise NotFoundError(f"{problem}: nothing may be built from it; ask for another version")
    return row.value


async def parent_problem(
    build: Build, *, image_versions: ImageVersions, gallery: Gallery, build_region: str
) -> str:
    """Return why *build* can no longer use its parent's version; empty when it can.

    Image Builder takes a gallery version only where it is replicated to the template's region
    (https://learn.microsoft.com/azure/virtual-machines/linux/image-builder-json).

    Raises UnavailableError while the parent's version is still on its way to our region.
    """
    parent = build.parent
    if parent is None:
        return ""
    name = f"version {parent.version} of {parent.definition}"
    row = await image_versions.get(parent.definition, parent.version)
    if row is None:
        return f"{name} is not in the register any more"
    if problem := why_not_buildable(row.value):
        return f"{problem}: nothing may be built from it"
    found = await gallery.version(parent.image_id, parent.version)
    if found is None:
        return f"{name} is gone from the gallery: somebody deleted it"
    return _missing_in(normalise_region(build_region), found, name)


async def parent_taken_back(build: Build, *, image_versions: ImageVersions) -> str:
    """Return why what *build* made must not be released, for its parent's sake; or nothing."""
    parent = build.parent
    row = await image_versions.get(parent.definition, parent.version) if parent else None
    reason = why_taken_back(row.value) if row else ""
    return f"it was built from a version that must not be used: {reason}" if reason else ""


def _missing_in(region: str, found: GalleryVersion, name: str) -> str:
    if region not in found.regions:
        return (
            f"{name} is not replicated to {region}, where images are built; add that region to "
            "its definition"
        )
    if region in found.failed_regions:
        return f"replication of {name} to {region}, where images are built, failed"
    if region not in found.replicated:
        raise UnavailableError(f"{name} is still being replicated to {region}; look again later")
    return ""
