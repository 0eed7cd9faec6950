"""rebuild_children: a golden image's channels may have moved; build what is built from them."""

from shared.domain.chain import children_of
from shared.factory.parents import rebuild_wanted
from shared.messages import Message, RebuildChildren
from shared.ports import Builds, Channels, Definitions, ImageVersions


async def rebuild_children(
    command: RebuildChildren,
    *,
    definitions: Definitions,
    builds: Builds,
    channels: Channels,
    image_versions: ImageVersions,
) -> list[Message]:
    """Start the builds that the children of *definition* lack of what its channels show now.

    Whatever moved and in whichever order the messages come: each child's own channel is read, and
    a build that exists is not asked for again. A message that is lost is made up for by
    `detect_source`, which asks the same of each child when its timer fires.
    """
    asked = [
        await rebuild_wanted(
            child, source, builds=builds, channels=channels, image_versions=image_versions
        )
        for child, source in children_of(command.definition, definitions.values())
    ]
    return [ask for ask in asked if ask]
