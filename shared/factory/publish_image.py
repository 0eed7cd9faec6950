"""publish_image: replicate the verified version everywhere, and let it into the first channel."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.build import Build, Phase
from shared.domain.channel_moves import enter
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import VersionState
from shared.domain.publishing import replicas
from shared.domain.tattoo import TAG_PREFIX
from shared.errors import NotFoundError
from shared.factory.definitions import definition_named
from shared.factory.parents import parent_taken_back
from shared.factory.releases import load, save
from shared.factory.turns import Repeat, go, take_turn
from shared.factory.withdraw import STATE_TAG, withdraw
from shared.messages import Message, PublishImage
from shared.ports import (
    Builds,
    Channels,
    Definitions,
    Gallery,
    GalleryVersion,
    ImageVersions,
    Pace,
    Publishing,
)

PUBLISHED_TAG = f"{TAG_PREFIX}published-at"
REPLICATION_LIMIT = timedelta(hours=12)
"""Replication to every region is waited for this long: our bound, not Azure's."""


async def publish_image(
    command: PublishImage,
    *,
    definitions: Definitions,
    builds: Builds,
    image_versions: ImageVersions,
    channels: Channels,
    gallery: Gallery,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Bring the release one look further.

    The full region list is sent, still excluded from latest; when every region has the version, it
    is tagged; when Azure shows the tags, it is released and enters the first channel. What `latest`
    means is up to the channels. A version that cannot be released is withdrawn.
    """
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    build = stored.value
    definition = definition_named(definitions, build.definition)
    wanted = await _wanted(definition, channels)
    version = await gallery.version(build.image_id, build.attempt.version)
    problem = _problem(version, build, wanted, now)
    problem = problem or await parent_taken_back(build, image_versions=image_versions)
    if version is None or problem:
        await withdraw(
            build, image_versions=image_versions, gallery=gallery, because=problem, now=now
        )
        return await go(stored, Phase.FAILED, builds=builds, now=now, because=problem)
    if version.provisioning_state.lower() == "succeeded":
        ready = version.regions == wanted and wanted.keys() <= version.replicated
        if ready and PUBLISHED_TAG in version.tags:
            await _register(build, version, image_versions=image_versions, now=now)
            await _enter(
                build, definition, channels=channels, image_versions=image_versions, now=now
            )
            because = f"version {build.attempt.version} is released"
            return await go(stored, Phase.RELEASED, builds=builds, now=now, because=because)
        if ready:
            await gallery.tag(build.image_id, build.attempt.version, _stamp(now))
        elif version.regions != wanted:
            publishing = Publishing(regions=wanted, excluded_from_latest=True)
            await gallery.set_publishing(build.image_id, build.attempt.version, publishing)
    return await go(stored, Phase.PUBLISHING, builds=builds, now=now, wait=pace.look)


def _problem(
    version: GalleryVersion | None, build: Build, wanted: dict[str, int], now: datetime
) -> str:
    """Return why the version can never be released; empty when it still can."""
    number = build.attempt.version
    if version is None:
        return f"version {number} is gone from the gallery: somebody deleted it"
    if version.provisioning_state.lower() == "failed":
        return f"Azure failed to update version {number} in the gallery"
    if failed := version.failed_regions & wanted.keys():
        return f"replication of version {number} failed in {', '.join(sorted(failed))}"
    if now > build.phase_since + REPLICATION_LIMIT:
        return f"version {number} was not replicated everywhere in {REPLICATION_LIMIT}"
    return ""


async def _wanted(definition: ImageDefinition, channels: Channels) -> dict[str, int]:
    """Return the replicas by region: those the fleet needs, where the definition lets them."""
    record = await channels.get(definition.name)
    return replicas(definition, record.value.replicas if record else {})


async def _register(
    build: Build,
    version: GalleryVersion,
    *,
    image_versions: ImageVersions,
    now: datetime,
) -> None:
    """Write the release into the register; a repeat finds it written."""
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
            excluded_from_latest=version.excluded_from_latest,
            published_at=now,
            tattoo={**row.value.tattoo, "published-at": version.tags[PUBLISHED_TAG]},
        ).become(VersionState.RELEASED, now=now, because=f"build {build.id} passed every check")
        await image_versions.save(replace(row, value=released))


def _stamp(now: datetime) -> dict[str, str]:
    """Return the tags of a release that begins now."""
    instant = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {PUBLISHED_TAG: instant, STATE_TAG: str(VersionState.RELEASED)}


async def _enter(
    build: Build,
    definition: ImageDefinition,
    *,
    channels: Channels,
    image_versions: ImageVersions,
    now: datetime,
) -> None:
    """Let the version into the first channel; a repeat finds it there."""
    loaded = await load(definition, channels=channels, image_versions=image_versions, now=now)
    because = f"build {build.id} passed every check"
    entered = enter(loaded.releases, build.attempt.version, because=because)
    await save(loaded, entered, channels=channels)
