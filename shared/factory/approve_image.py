"""approve_image: keep a person's word that a version may enter a channel."""

from datetime import datetime

from shared.domain.channel_moves import MoveRefusedError, approve
from shared.errors import NotAllowedError
from shared.factory.definitions import definition_named
from shared.factory.releases import load, save
from shared.messages import ApproveImage, Message, PromoteImage
from shared.ports import Channels, Definitions, ImageVersions


async def approve_image(
    command: ApproveImage,
    *,
    definitions: Definitions,
    channels: Channels,
    image_versions: ImageVersions,
    now: datetime,
) -> list[Message]:
    """Keep who approved it, when and why; the version enters when its soak time is over too.

    Raises NotAllowedError when there is no such channel, or the version may not be used.
    """
    definition = definition_named(definitions, command.definition)
    loaded = await load(definition, channels=channels, image_versions=image_versions, now=now)
    try:
        record = approve(
            loaded.releases,
            command.channel,
            command.image_version,
            by=command.by,
            because=command.because,
        )
    except MoveRefusedError as error:
        raise NotAllowedError(f"{definition.name}: {error}") from error
    await save(loaded, record, channels=channels)
    return [PromoteImage(definition=definition.name)]
