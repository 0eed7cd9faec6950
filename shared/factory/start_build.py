"""start_build: make the record of a build, unless it exists."""

import logging
from datetime import datetime

from shared.domain.build import Build
from shared.domain.image_definition import MarketplaceSource, build_id, customization_digest
from shared.domain.versions import is_version, version_key
from shared.errors import BadMessageError
from shared.factory.definitions import definition_named
from shared.factory.turns import following
from shared.messages import Message, StartBuild
from shared.ports import Builds, Definitions, Gallery, Marketplace, Sources, Stored

_log = logging.getLogger(__name__)

BY_EVENT = "source-version"
"""`requested_by` of builds that an upstream release asked for."""


async def start_build(
    command: StartBuild,
    *,
    definitions: Definitions,
    builds: Builds,
    sources: Sources,
    marketplace: Marketplace,
    gallery: Gallery,
    now: datetime,
) -> list[Message]:
    """Start the build of (definition, source version, customization digest), once.

    An existing build is left as it is, and so is the image when an event names an older source
    version than the newest seen: events arrive late and out of order, and building an old
    release now would give it the higher image version. A person may ask for an old one.

    Anybody may send the event, so the Marketplace must list the version it names.

    Raises NotFoundError for an unknown definition, BadMessageError for a malformed version or one
    the Marketplace does not list.
    """
    definition = definition_named(definitions, command.definition)
    if not is_version(command.source_version):
        raise BadMessageError(
            f"source version {command.source_version!r} for {command.definition} is not a dotted "
            "version number such as 22.04.202411080"
        )
    identity = build_id(definition, command.source_version, force=command.force)
    existing = await builds.get(identity)
    if existing:
        build = existing.value
        return following(build, now=now) if build.turn == 0 else []
    if command.requested_by == BY_EVENT and not await _wanted(
        command, definition.source, sources, marketplace
    ):
        return []
    build = Build(
        id=identity,
        definition=definition.name,
        image_id=gallery.image_id(definition),
        source_urn=definition.source.urn,
        source_version=command.source_version,
        customization_digest=customization_digest(definition),
        requested_by=command.requested_by,
        forced=bool(command.force),
        created_at=now,
        updated_at=now,
    )
    await builds.save(Stored(build))
    return following(build, now=now)


async def _wanted(
    command: StartBuild, source: MarketplaceSource, sources: Sources, marketplace: Marketplace
) -> bool:
    """Tell whether the version an event names is there, and none newer was seen."""
    if command.source_version not in await marketplace.versions(source):
        raise BadMessageError(
            f"the Marketplace lists no version {command.source_version} of {source.urn}; find out "
            "who sent the event"
        )
    seen = await sources.get(source.urn)
    if seen is None or not seen.value.version:
        return True
    outdated = version_key(command.source_version) < version_key(seen.value.version)
    if outdated:
        text = "source version %s of %s is older than the newest seen: not built"
        _log.info(text, command.source_version, source.urn)
    return not outdated
