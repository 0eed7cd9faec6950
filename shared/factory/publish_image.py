"""publish_image: replicate the verified version everywhere, then let "latest" mean it."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.build import Build, Phase
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.tattoo import TAG_PREFIX
from shared.domain.versions import version_key
from shared.errors import NotFoundError
from shared.factory.definitions import definition_named
from shared.factory.repair_image import STATE_TAG
from shared.factory.turns import Repeat, go, take_turn
from shared.messages import Message, PublishImage
from shared.ports import (
    Builds,
    Definitions,
    Gallery,
    GalleryVersion,
    ImageVersions,
    Pace,
    Stored,
)

REPLICATION_LIMIT = timedelta(hours=12)
"""Replication to every region is waited for this long: our bound, not Azure's."""


async def publish_image(
    command: PublishImage,
    *,
    definitions: Definitions,
    builds: Builds,
    image_versions: ImageVersions,
    gallery: Gallery,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Bring the release one look further.

    First the full region list, still excluded from latest; when every region has the version, the
    flip; when Azure shows the flip, the register, and earlier versions are marked aged.
    """
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    build = stored.value
    definition = definition_named(definitions, build.definition)
    version = await gallery.version(build.image_id, build.attempt.version)
    problem = _problem(version, build, definition, now)
    if version is None or problem:
        return await go(stored, Phase.FAILED, builds=builds, now=now, because=problem)
    if version.provisioning_state.lower() == "succeeded":
        if _released(version, definition):
            return await _release(
                stored,
                version,
                builds=builds,
                image_versions=image_versions,
                gallery=gallery,
                now=now,
            )
        await _request(version, definition, build, gallery)
    return await go(stored, Phase.PUBLISHING, builds=builds, now=now, wait=pace.look)


def _problem(
    version: GalleryVersion | None, build: Build, definition: ImageDefinition, now: datetime
) -> str:
    """Return why the version can never be released; empty when it still can."""
    number = build.attempt.version
    if version is None:
        return f"version {number} is gone from the gallery: somebody deleted it"
    if version.provisioning_state.lower() == "failed":
        return f"Azure failed to update version {number} in the gallery"
    if failed := version.failed_regions & _wanted(definition).keys():
        return f"replication of version {number} failed in {', '.join(sorted(failed))}"
    if now > build.phase_since + REPLICATION_LIMIT:
        return f"version {number} was not replicated everywhere in {REPLICATION_LIMIT}"
    return ""


def _wanted(definition: ImageDefinition) -> dict[str, int]:
    return {region.name: region.replicas for region in definition.regions}


def _replicated(version: GalleryVersion, definition: ImageDefinition) -> bool:
    return _wanted(definition).keys() <= version.replicated


def _released(version: GalleryVersion, definition: ImageDefinition) -> bool:
    return (
        not version.excluded_from_latest
        and version.regions == _wanted(definition)
        and _replicated(version, definition)
    )


async def _request(
    version: GalleryVersion, definition: ImageDefinition, build: Build, gallery: Gallery
) -> None:
    """Ask for the next change, if this look may ask for one."""
    if version.regions != _wanted(definition):
        await gallery.set_publishing(
            definition, build.attempt.version, excluded_from_latest=version.excluded_from_latest
        )
    elif _replicated(version, definition):
        await gallery.set_publishing(definition, build.attempt.version, excluded_from_latest=False)


async def _release(
    stored: Stored[Build],
    version: GalleryVersion,
    *,
    builds: Builds,
    image_versions: ImageVersions,
    gallery: Gallery,
    now: datetime,
) -> list[Message]:
    """Write what Azure shows into the register, age the earlier versions, end the build."""
    build = stored.value
    row = await image_versions.get(build.definition, build.attempt.version)
    if row is None:
        raise NotFoundError(
            f"version {build.attempt.version} of {build.definition} is not in the register; its "
            "row was deleted, start the build again with force"
        )
    if row.value.state is VersionState.CANDIDATE:
        released = replace(
            row.value,
            regions=tuple(sorted(version.replicated - version.excluded_regions)),
            excluded_from_latest=False,
            published_at=now,
            tattoo={**row.value.tattoo, "published-at": now.strftime("%Y-%m-%dT%H:%M:%SZ")},
        ).become(VersionState.RELEASED, now=now, because=f"build {build.id} passed every check")
        row = await image_versions.save(replace(row, value=released))
    stamp = row.value.tattoo["published-at"]
    await gallery.tag(
        build.image_id,
        build.attempt.version,
        {f"{TAG_PREFIX}published-at": stamp, STATE_TAG: str(VersionState.RELEASED)},
    )
    await _age_earlier(build, image_versions, gallery, now)
    because = f"version {build.attempt.version} is released"
    return await go(stored, Phase.RELEASED, builds=builds, now=now, because=because)


async def _age_earlier(
    build: Build, image_versions: ImageVersions, gallery: Gallery, now: datetime
) -> None:
    """Mark every released version but the highest number as aged, in register and gallery."""
    rows = await image_versions.list(build.definition)
    released = [r for r in rows if r.value.state is VersionState.RELEASED]
    highest = max((version_key(r.value.version) for r in released), default=())
    for row in released:
        if version_key(row.value.version) < highest:
            await _age(
                row,
                image_versions,
                gallery,
                now,
                because=f"version {build.attempt.version} was released",
            )


async def _age(
    row: Stored[ImageVersion],
    image_versions: ImageVersions,
    gallery: Gallery,
    now: datetime,
    *,
    because: str,
) -> None:
    version = row.value
    if await gallery.version(version.image_id, version.version):
        await gallery.tag(version.image_id, version.version, {STATE_TAG: str(VersionState.AGED)})
    aged = version.become(VersionState.AGED, now=now, because=because)
    await image_versions.save(replace(row, value=aged))
