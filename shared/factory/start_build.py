"""start_build: make the record of a build, unless it exists."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.build import Build, Phase
from shared.domain.chain import as_parent
from shared.domain.image_definition import (
    ImageDefinition,
    MarketplaceSource,
    ParentSource,
    build_id,
    customization_digest,
    definition_digest,
)
from shared.domain.versions import is_version, version_key
from shared.errors import BadMessageError
from shared.factory.definitions import definition_named
from shared.factory.parents import BY_PARENT, parent_row, version_shown
from shared.factory.resume_definition import resumed
from shared.factory.turns import following
from shared.messages import BY_EVENT, Message, StartBuild
from shared.ports import (
    Builds,
    Channels,
    Definitions,
    DefinitionStates,
    Gallery,
    ImageVersions,
    Marketplace,
    Sources,
    Stored,
)

_log = logging.getLogger(__name__)

SAID_AGAIN = timedelta(hours=1)
"""A repeated delivery comes within this time; the event's id is the same, so nobody hears twice."""


async def start_build(
    command: StartBuild,
    *,
    definitions: Definitions,
    builds: Builds,
    channels: Channels,
    sources: Sources,
    gallery: Gallery,
    image_versions: ImageVersions,
    marketplace: Marketplace,
    definition_states: DefinitionStates,
    now: datetime,
) -> list[Message]:
    """Start the build of (definition, source version, customization digest), once.

    An existing build is left as it is, and so is the image when an event names an older source
    version than the newest seen: events arrive late and out of order, and building an old
    release now would give it the higher image version. A person may ask for an old one. A paused
    definition is built only for what ends its pause.

    Anybody may send the event, so the Marketplace must list the version it names.

    Raises NotFoundError for an unknown definition or a version of the parent that nothing may be
    built from, BadMessageError for a malformed version or one the Marketplace does not list.
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
        if build.turn:
            return []
        return [
            *await _resumed_lately(definition.name, definition_states, now),
            *following(build, now=now),
        ]
    resuming = await _resume(command, definition, definition_states, now)
    if resuming is None:
        return []
    if await _outdated(
        command,
        definition,
        sources=sources,
        channels=channels,
        image_versions=image_versions,
        marketplace=marketplace,
    ):
        _log.info(
            "source version %s of %s is not the newest any more: not built",
            command.source_version,
            definition.source.urn,
        )
        return []
    build = _new_build(command, definition, identity, gallery.image_id(definition), now=now)
    if isinstance(definition.source, ParentSource):
        version = command.source_version
        row = await parent_row(definition.source, version, image_versions=image_versions)
        build = replace(build, parent=as_parent(row))
    await builds.save(Stored(build))
    return [*resuming, *following(build, now=now)]


def _new_build(
    command: StartBuild, definition: ImageDefinition, identity: str, image_id: str, *, now: datetime
) -> Build:
    return Build(
        id=identity,
        definition=definition.name,
        image_id=image_id,
        source_urn=definition.source.urn,
        source_version=command.source_version,
        customization_digest=customization_digest(definition),
        requested_by=command.requested_by,
        forced=bool(command.force),
        created_at=now,
        updated_at=now,
        definition_digest=definition_digest(definition),
        phase=Phase.VERIFYING_SOURCE if definition.verify_source else Phase.QUEUED,
    )


async def _resume(
    command: StartBuild,
    definition: ImageDefinition,
    definition_states: DefinitionStates,
    now: datetime,
) -> list[Message] | None:
    """End a pause this build is a reason to end, and say so; None when the pause stays."""
    stored = await definition_states.get(definition.name)
    if stored is None or not stored.value.paused:
        return await _resumed_lately(definition.name, definition_states, now)
    because = stored.value.resumes_for(
        command.source_version, definition_digest(definition), forced=bool(command.force)
    )
    if not because:
        _log.info("definition %s is paused: not built", definition.name)
        return None
    state = stored.value.resume(now=now, because=because)
    await definition_states.save(replace(stored, value=state))
    return resumed(state)


async def _resumed_lately(
    name: str, definition_states: DefinitionStates, now: datetime
) -> list[Message]:
    """Say again that a pause ended: the delivery that ended it may have died before it said so."""
    stored = await definition_states.get(name)
    if stored is None or stored.value.paused or not stored.value.history:
        return []
    lately = now - stored.value.history[-1].at < SAID_AGAIN
    return resumed(stored.value) if lately else []


async def _outdated(
    command: StartBuild,
    definition: ImageDefinition,
    *,
    sources: Sources,
    channels: Channels,
    image_versions: ImageVersions,
    marketplace: Marketplace,
) -> bool:
    """Tell whether what asked for the build has been overtaken; a person is always answered."""
    source = definition.source
    if isinstance(source, ParentSource):
        if command.requested_by != BY_PARENT:
            return False
        shown = await version_shown(source, channels=channels, image_versions=image_versions)
        return shown is None or shown.version != command.source_version
    if command.requested_by != BY_EVENT:
        return False
    if command.source_version not in await marketplace.versions(source):
        raise BadMessageError(
            f"the Marketplace lists no version {command.source_version} of {source.urn}; find out "
            "who sent the event"
        )
    return await _older(command, source, sources)


async def _older(command: StartBuild, source: MarketplaceSource, sources: Sources) -> bool:
    seen = await sources.get(source.urn)
    if seen is None or not seen.value.version:
        return False
    return version_key(command.source_version) < version_key(seen.value.version)
