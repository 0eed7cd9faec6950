"""move_channel: promote or roll back because a person says so."""

from datetime import datetime

from shared.domain.channel_moves import MoveRefusedError
from shared.domain.channel_moves import move_channel as decide
from shared.errors import NotAllowedError
from shared.factory.definitions import definition_named
from shared.factory.releases import load, save
from shared.messages import Message, MoveChannel, PromoteImage
from shared.ports import Channels, Definitions, ImageVersions


async def move_channel(
    command: MoveChannel,
    *,
    definitions: Definitions,
    channels: Channels,
    image_versions: ImageVersions,
    now: datetime,
) -> list[Message]:
    """Move the pointer; the look that follows brings Azure into line and tells the world.

    A request that moved the channel already does not move it again.

    Raises NotAllowedError when the move cannot be, with what can.
    """
    definition = definition_named(definitions, command.definition)
    loaded = await load(definition, channels=channels, image_versions=image_versions, now=now)
    record = loaded.releases.channels
    if not any(m.request == command.request for m in record.moves):
        try:
            record = decide(
                loaded.releases,
                command.channel,
                command.image_version,
                by=command.by,
                because=command.because,
                request=command.request,
            )
        except MoveRefusedError as error:
            raise NotAllowedError(f"{definition.name}: {error}") from error
        await save(loaded, record, channels=channels)
    return [PromoteImage(definition=definition.name)]
