"""watch_gallery: say so before a limit of the Compute Gallery bites."""

from datetime import datetime

from shared.messages import Announcement, Message, WatchGallery
from shared.ports import Channels, Definitions, Gallery

MAX_VERSIONS = 10_000
MAX_IMAGES = 1_000
MAX_REPLICAS = 100
"""Of one subscription and region: image versions, image definitions; and replicas of one version
(https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery#limits). Other galleries
of the subscription count too, and are not seen from here."""
NEAR = 0.8


async def watch_gallery(
    command: WatchGallery,  # noqa: ARG001 - a step takes its command
    *,
    definitions: Definitions,
    channels: Channels,
    gallery: Gallery,
    now: datetime,
) -> list[Message]:
    """Count what Azure limits and announce what has reached four fifths, once a day."""
    versions, replicas = 0, 0
    for definition in definitions.values():
        versions += len(await gallery.versions(gallery.image_id(definition)))
        record = await channels.get(definition.name)
        following = record.value.replicas if record else {}
        counts = (following.get(r.name, r.replicas) for r in definition.regions)
        replicas = max(replicas, sum(counts))
    counted = (
        ("image versions", versions, MAX_VERSIONS),
        ("image definitions", len(definitions), MAX_IMAGES),
        ("replicas of one version", replicas, MAX_REPLICAS),
    )
    return [
        Announcement(
            name="GalleryNearLimit",
            subject="gallery",
            key=f"{what}/{now:%Y-%m-%d}",
            data={"what": what, "count": count, "limit": limit, "at": now.isoformat()},
        )
        for what, count, limit in counted
        if count >= NEAR * limit
    ]
