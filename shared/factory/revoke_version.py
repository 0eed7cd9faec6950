"""revoke_version: a version must not be used any more, nor what was built from it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.domain.channel import ImageChannels, Revocation
from shared.domain.channel_moves import MoveRefusedError, Releases, fall_back, revoke
from shared.domain.identifiers import digest
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion
from shared.errors import NotAllowedError
from shared.factory.channel_news import news_of_revoked
from shared.factory.definitions import definition_named
from shared.factory.promote_image import LONGEST_WAIT
from shared.factory.releases import Loaded, follow_channels, load, save
from shared.messages import Delayed, JudgeImageUsers, Message, PromoteImage, RevokeVersion
from shared.ports import Channels, Definitions, Gallery, ImageVersions, Vms


async def revoke_version(
    command: RevokeVersion,
    *,
    definitions: Definitions,
    channels: Channels,
    image_versions: ImageVersions,
    vms: Vms,
    gallery: Gallery,
    now: datetime,
) -> list[Message]:
    """Revoke a version now, or keep that it is to be revoked at a time.

    The channels are the one place where it is decided, so that two revocations at once cannot
    leave nothing between them; the register's row, the VMs, the gallery and the versions built
    from it follow. A request that was decided already is carried on, not decided again.

    Raises NotAllowedError for the last good version unless it is forced, and for one that was never
    released or is revoked already.
    """
    definition = definition_named(definitions, command.definition)
    loaded = await load(definition, channels=channels, image_versions=image_versions, now=now)
    loaded = await save(loaded, _decided(command, loaded.releases), channels=channels)
    revocation = loaded.releases.channels.revocation(command.image_version)
    if revocation is None or revocation.since > now:
        return _scheduled(loaded)
    loaded = await follow_channels(loaded, definition, image_versions=image_versions, revoking=True)
    row = loaded.releases.row(command.image_version)
    if row is None:
        return []
    news = await news_of_revoked(row, revocation, loaded.releases, vms=vms)
    because = f"version {row.version} was revoked"
    messages: list[Message] = [
        news,
        JudgeImageUsers(
            image_id=gallery.image_id(definition), image_version=row.version, because=because
        ),
        PromoteImage(definition=definition.name),
    ]
    if command.inherit:
        built = await children_of_version(row, definitions, image_versions=image_versions)
        messages += [_inherited(child, row, command) for child in built]
    return messages


def _decided(command: RevokeVersion, releases: Releases) -> ImageChannels:
    known = releases.channels.revocation(command.image_version)
    if known is not None and known.request == command.request:
        return fall_back(releases)
    revocation = Revocation(
        version=command.image_version,
        by=command.by,
        because=command.because,
        since=max(command.at, releases.now) if command.at else releases.now,
        request=command.request,
        inherit=command.inherit,
        force=command.force,
    )
    try:
        return revoke(releases, revocation)
    except MoveRefusedError as error:
        raise NotAllowedError(f"{command.definition}: {error}") from error


def _scheduled(loaded: Loaded) -> list[Message]:
    record, now = loaded.releases.channels, loaded.releases.now
    if record.due is None:
        return []
    delay = min(max(record.due - now, timedelta()), LONGEST_WAIT)
    look = PromoteImage(definition=record.definition, turn=record.turn)
    return [Delayed(command=look, delay=delay)]


async def children_of_version(
    version: ImageVersion,
    definitions: Mapping[str, ImageDefinition],
    *,
    image_versions: ImageVersions,
) -> list[ImageVersion]:
    """Return the versions of other images that were built from *version*."""
    return [
        row.value
        for definition in definitions.values()
        if definition.parent and definition.parent.image == version.definition
        for row in await image_versions.list(definition.name)
        if row.value.parent and row.value.parent.resource_id == version.resource_id
        and row.value.published_at is not None
    ]  # fmt: skip


def inherited_request(request: str, child: ImageVersion) -> str:
    """Return the token under which *child* inherits what *request* asked for its parent."""
    return digest(request, child.definition, child.version)


def _inherited(child: ImageVersion, parent: ImageVersion, command: RevokeVersion) -> RevokeVersion:
    return RevokeVersion(
        definition=child.definition,
        image_version=child.version,
        by=command.by,
        because=f"built from {parent.definition} {parent.version}: {command.because}",
        request=inherited_request(command.request, child),
        force=command.force,
    )
