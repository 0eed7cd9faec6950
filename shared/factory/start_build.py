"""start_build: make the record of a build, unless it exists."""

import logging
from datetime import datetime

from shared.domain.build import Build
from shared.domain.image_definition import build_id, customization_digest
from shared.domain.versions import is_version, version_key
from shared.errors import BadMessageError
from shared.factory.definitions import definition_named
from shared.factory.turns import following
from shared.messages import Message, StartBuild
from shared.ports import Builds, Definitions, Gallery, Sources, Stored

_log = logging.getLogger(__name__)

BY_EVENT = "source-version"
"""`requested_by` of builds that an upstream release asked for."""


async def start_build(
    command: StartBuild,
    *,
    definitions: Definitions,
    builds: Builds,
    sources: Sources,
    gallery: Gallery,
    now: datetime,
) -> list[Message]:
    """Start the build of (definition, source version, customization digest), once.

    An existing build is left as it is, and so is the image when an event names an older source
    version than the newest seen: events arrive late and out of order, and building an old
    release now would give it the higher image version. A person may ask for an old one.

    Raises NotFoundError for an unknown definition, BadMessageError for a malformed version.
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
    if command.requested_by == BY_EVENT and await _outdated(
        command, definition.source.urn, sources
    ):
        _log.info(
            "source version %s of %s is older than the newest seen: not built",
            command.source_version,
            definition.source.urn,
        )
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


async def _outdated(command: StartBuild, urn: str, sources: Sources) -> bool:
    seen = await sources.get(urn)
    if seen is None or not seen.value.version:
        return False
    return version_key(command.source_version) < version_key(seen.value.version)
