"""publish_image: replicate the verified version everywhere, then let "latest" mean it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.build import Build, Phase
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import VersionState
from shared.domain.tattoo import TAG_PREFIX
from shared.domain.versions import version_key
from shared.errors import NotFoundError
from shared.factory.definitions import definition_named
from shared.factory.turns import Repeat, go, take_turn
from shared.factory.withdraw import STATE_TAG, withdraw
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

PUBLISHED_TAG = f"{TAG_PREFIX}published-at"
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at one release, with what it needs at hand."""

    stored: Stored[Build]
    definition: ImageDefinition
    definitions: Definitions
    builds: Builds
    image_versions: ImageVersions
    gallery: Gallery
    pace: Pace
    now: datetime

    @property
    def build(self) -> Build:
        return self.stored.value

    @property
    def number(self) -> str:
        return self.stored.value.attempt.version

    @property
    def wanted(self) -> dict[str, int]:
        return {region.name: region.replicas for region in self.definition.regions}

    def replicated(self, version: GalleryVersion) -> bool:
        return self.wanted.keys() <= version.replicated


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

    First the full region list, still excluded from latest; when every region has the version, its
    tags; then the flip; when Azure shows the flip, the register, where earlier versions are aged.
    A version that cannot be released is withdrawn, so that "latest" never means what we disown.
    """
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    definition = definition_named(definitions, stored.value.definition)
    look = _Look(stored, definition, definitions, builds, image_versions, gallery, pace, now)
    version = await gallery.version(look.build.image_id, look.number)
    if version is None:
        return await _fail(look, f"version {look.number} is gone: somebody deleted it")
    if problem := _problem(version, look):
        return await _fail(look, problem)
    if version.provisioning_state.lower() == "succeeded":
        if _released(version, look):
            return await _release(version, look)
        await _ask(version, look)
    return await go(stored, Phase.PUBLISHING, builds=builds, now=now, wait=pace.look)


def _problem(version: GalleryVersion, look: _Look) -> str:
    """Return why the version can never be released; empty when it still can."""
    if version.provisioning_state.lower() == "failed":
        return f"Azure failed to update version {look.number} in the gallery"
    if failed := version.failed_regions & look.wanted.keys():
        return f"replication of version {look.number} failed in {', '.join(sorted(failed))}"
    if look.now > look.build.phase_since + REPLICATION_LIMIT:
        return f"version {look.number} was not replicated everywhere in {REPLICATION_LIMIT}"
    return ""


async def _fail(look: _Look, problem: str) -> list[Message]:
    await withdraw(
        look.build,
        definitions=look.definitions,
        image_versions=look.image_versions,
        gallery=look.gallery,
        because=problem,
        now=look.now,
    )
    return await go(look.stored, Phase.FAILED, builds=look.builds, now=look.now, because=problem)


def _released(version: GalleryVersion, look: _Look) -> bool:
    return (
        not version.excluded_from_latest
        and version.regions == look.wanted
        and look.replicated(version)
        and PUBLISHED_TAG in version.tags
    )


async def _ask(version: GalleryVersion, look: _Look) -> None:
    """Ask for the next change, one at a look: Azure refuses a second while one is under way."""
    if version.regions != look.wanted:
        excluded = version.excluded_from_latest
        await look.gallery.set_publishing(
            look.definition, look.number, excluded_from_latest=excluded
        )
    elif look.replicated(version) and PUBLISHED_TAG not in version.tags:
        stamp = {PUBLISHED_TAG: look.now.strftime(_INSTANT), STATE_TAG: str(VersionState.RELEASED)}
        await look.gallery.tag(look.build.image_id, look.number, stamp)
    elif look.replicated(version):
        await look.gallery.set_publishing(look.definition, look.number, excluded_from_latest=False)


async def _release(version: GalleryVersion, look: _Look) -> list[Message]:
    """Write what Azure shows into the register, age the earlier versions, end the build."""
    row = await look.image_versions.get(look.build.definition, look.number)
    if row is None:
        raise NotFoundError(
            f"version {look.number} of {look.build.definition} is not in the register; its row "
            "was deleted, start the build again with force"
        )
    if row.value.state is VersionState.CANDIDATE:
        released = replace(
            row.value,
            regions=tuple(sorted(version.replicated - version.excluded_regions)),
            excluded_from_latest=False,
            published_at=look.now,
            tattoo={**row.value.tattoo, "published-at": version.tags[PUBLISHED_TAG]},
        ).become(
            VersionState.RELEASED, now=look.now, because=f"build {look.build.id} passed every check"
        )
        await look.image_versions.save(replace(row, value=released))
    await _age_earlier(look)
    because = released_because(look.number)
    return await go(look.stored, Phase.RELEASED, builds=look.builds, now=look.now, because=because)


def released_because(version: str) -> str:
    """Return the words that stand in every history for the release of *version*."""
    return f"version {version} was released"


async def _age_earlier(look: _Look) -> None:
    """Mark every released version but the highest number as aged in the register."""
    rows = await look.image_versions.list(look.build.definition)
    released = [r for r in rows if r.value.state is VersionState.RELEASED]
    highest = max((version_key(r.value.version) for r in released), default=())
    because = released_because(look.number)
    for row in released:
        if version_key(row.value.version) < highest:
            aged = row.value.become(VersionState.AGED, now=look.now, because=because)
            await look.image_versions.save(replace(row, value=aged))
