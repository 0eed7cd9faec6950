"""detect_source: is there a source version our image has not been built from?"""

from dataclasses import replace
from datetime import datetime

from shared.domain.image_definition import (
    MarketplaceSource,
    ParentSource,
    Source,
    build_id,
)
from shared.domain.versions import newest
from shared.errors import NotFoundError
from shared.factory.definitions import definition_named
from shared.factory.parents import rebuild_wanted, version_shown
from shared.messages import Announcement, DetectSource, Message
from shared.ports import (
    Builds,
    Channels,
    Definitions,
    ImageVersions,
    Marketplace,
    SourceRecord,
    Sources,
    Stored,
)


async def detect_source(
    command: DetectSource,
    *,
    definitions: Definitions,
    marketplace: Marketplace,
    sources: Sources,
    builds: Builds,
    channels: Channels,
    image_versions: ImageVersions,
    now: datetime,
) -> list[Message]:
    """Announce the newest source version when no build of it exists.

    Of an image that is built from another golden image, the build that is lacking of what the
    parent's channel shows is asked for right away: its move was announced already.

    A build that exists but never took its first turn lost its first message: announcing again
    sends that too. Whether it was announced is never recorded: a build is the only proof that the
    announcement arrived, so a lost one is made up for by the next look, with the same event id. A
    changed definition has a new build id and is announced, hence built, in the same way.
    """
    definition = definition_named(definitions, command.definition)
    source = definition.source
    if isinstance(source, ParentSource):
        shown = await version_shown(source, channels=channels, image_versions=image_versions)
        version = shown.version if shown else None
        problem = "" if shown else f"channel {source.channel} of {source.image} shows no version"
        await _remember(source, version, problem, sources=sources, now=now)
        wanted = await rebuild_wanted(
            definition, source, builds=builds, channels=channels, image_versions=image_versions
        )
        return [wanted] if wanted else []
    try:
        found = newest(await marketplace.versions(source))
        problem = "" if found else "the Marketplace lists no version of it in our region"
    except NotFoundError as error:
        found, problem = None, str(error)
    await _remember(source, found, problem, sources=sources, now=now)
    if found is None:
        return []
    known = await builds.get(build_id(definition, found))
    if known and known.value.turn > 0:
        return []
    return [source_version_published(source, found)]


def source_version_published(source: MarketplaceSource, version: str) -> Announcement:
    """Return the event that says that *source* has a new *version*."""
    return Announcement(
        name="SourceVersionPublished",
        subject=f"sources/{source.urn}",
        key=version,
        data={
            "publisher": source.publisher,
            "offer": source.offer,
            "sku": source.sku,
            "version": version,
        },
    )


async def _remember(
    source: Source,
    version: str | None,
    problem: str,
    *,
    sources: Sources,
    now: datetime,
) -> None:
    stored = await sources.get(source.urn)
    if stored is None:
        blank = SourceRecord(urn=source.urn, version="", announced_at=None, checked_at=now)
        stored = Stored(blank)
    old = stored.value
    is_new = bool(version) and version != old.version
    new = replace(
        old,
        version=version or old.version,
        announced_at=now if is_new else old.announced_at,
        checked_at=now,
        problem=problem,
    )
    if not stored.etag or replace(new, checked_at=old.checked_at) != old:
        await sources.save(replace(stored, value=new))
