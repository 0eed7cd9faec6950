"""restore_version: undo a revocation, and those that were inherited from it."""

from datetime import datetime

from shared.domain.channel_moves import MoveRefusedError, restore
from shared.domain.image_version import ImageVersion, VersionState
from shared.errors import NotAllowedError
from shared.factory.channel_news import news_of_version
from shared.factory.definitions import definition_named
from shared.factory.releases import Loaded, follow_channels, load, save
from shared.factory.revoke_version import children_of_version, inherited_request
from shared.messages import JudgeImageUsers, Message, PromoteImage, RestoreVersion
from shared.ports import Channels, Definitions, Gallery, ImageVersions


async def restore_version(
    command: RestoreVersion,
    *,
    definitions: Definitions,
    channels: Channels,
    image_versions: ImageVersions,
    gallery: Gallery,
    now: datetime,
) -> list[Message]:
    """Let a revoked version be used again; channels that fell back because of it return.

    Versions that were revoked only because they were built from it are restored too.

    Raises NotAllowedError when the version is not revoked.
    """
    definition = definition_named(definitions, command.definition)
    loaded = await load(definition, channels=channels, image_versions=image_versions, now=now)
    revocation = loaded.releases.channels.revocation(command.image_version)
    if revocation is None and not _was_restored(loaded, command.image_version):
        raise NotAllowedError(f"{definition.name}: version {command.image_version} is not revoked")
    if revocation is not None:
        loaded = await _restored(loaded, command, channels=channels)
    loaded = await follow_channels(loaded, definition, image_versions=image_versions)
    row = loaded.releases.row(command.image_version)
    if row is None:
        return []
    details = {"reason": command.because, "by": command.by}
    because = f"version {row.version} was restored"
    messages: list[Message] = [
        news_of_version("ImageRestored", row, _since(row), details),
        JudgeImageUsers(
            image_id=gallery.image_id(definition), image_version=row.version, because=because
        ),
        PromoteImage(definition=definition.name),
    ]
    for child in await children_of_version(row, definitions, image_versions=image_versions):
        messages += await _inherited(child, row, command, channels=channels)
    return messages


async def _restored(loaded: Loaded, command: RestoreVersion, *, channels: Channels) -> Loaded:
    try:
        record = restore(
            loaded.releases,
            command.image_version,
            by=command.by,
            because=command.because,
            request=command.request,
        )
    except MoveRefusedError as error:
        raise NotAllowedError(f"{command.definition}: {error}") from error
    return await save(loaded, record, channels=channels)


def _was_restored(loaded: Loaded, version: str) -> bool:
    """Tell whether a delivery before this one restored it, and may have died on the way."""
    row = loaded.releases.row(version)
    return row is not None and (
        row.state is VersionState.REVOKED
        or (bool(row.history) and row.history[-1].old == VersionState.REVOKED)
    )


def _since(row: ImageVersion) -> datetime:
    back = (t.at for t in reversed(row.history) if t.old == VersionState.REVOKED)
    return next(back, row.created_at)


async def _inherited(
    child: ImageVersion, parent: ImageVersion, command: RestoreVersion, *, channels: Channels
) -> list[Message]:
    """Return the restoring of *child*, if it was revoked because of *parent* and nothing else."""
    record = await channels.get(child.definition)
    revocation = record.value.revocation(child.version) if record else None
    inherited = f"built from {parent.definition} {parent.version}: "
    if revocation is None or not revocation.because.startswith(inherited):
        return []
    return [
        RestoreVersion(
            definition=child.definition,
            image_version=child.version,
            by=command.by,
            because=f"{parent.definition} {parent.version} was restored: {command.because}",
            request=inherited_request(command.request, child),
        )
    ]
