"""How many copies of an image each region needs: by how many VMs were made there at once."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.channel import ImageChannels
from shared.domain.channel_moves import Releases
from shared.domain.image_definition import ImageDefinition
from shared.domain.release_rules import replicas_for
from shared.domain.vm_record import VmRecord
from shared.ports import VmFilter, Vms, every

COUNT_AGAIN = timedelta(days=1)
TOGETHER = timedelta(hours=1)
"""VMs made within this time count as made at once."""
_PAGE = 500


async def follow_fleet(
    channels: ImageChannels, releases: Releases, definition: ImageDefinition, *, vms: Vms
) -> ImageChannels:
    """Return *channels* with the replicas each region needs, counted once a day."""
    following = [r for r in definition.regions if r.max_replicas]
    counted = channels.replicas_at
    if not following or (counted is not None and releases.now - counted < COUNT_AGAIN):
        return channels
    peaks = await made_together(vms, definition.name)
    replicas = {
        r.name: replicas_for(peaks.get(r.name, 0), least=r.replicas, most=r.max_replicas)
        for r in following
    }
    return replace(
        channels,
        replicas=replicas,
        replicas_at=releases.now,
        aligned=channels.aligned and replicas == channels.replicas,
    )


async def made_together(vms: Vms, definition: str) -> dict[str, int]:
    """Return per region how many VMs of an image were made at once, as far as the register knows.

    A scale set counts whole: it may make all of its instances at once.
    """
    made: dict[str, list[datetime]] = defaultdict(list)
    sets: dict[str, Counter[str]] = defaultdict(Counter)
    wanted = VmFilter(image=definition)
    async for record in every(lambda cursor: vms.list(wanted, limit=_PAGE, cursor=cursor)):
        made[record.region].append(_made_at(record))
        if record.scale_set_id:
            sets[record.region][record.scale_set_id] += 1
    return {
        region: max(_most_within(moments), *(sets[region].values() or (0,)))
        for region, moments in made.items()
    }


def _made_at(record: VmRecord) -> datetime:
    return record.created_at or record.first_seen_at


def _most_within(moments: list[datetime]) -> int:
    """Return the largest number of *moments* that lie within TOGETHER."""
    ordered, most, start = sorted(moments), 0, 0
    for end, moment in enumerate(ordered):
        while moment - ordered[start] > TOGETHER:
            start += 1
        most = max(most, end - start + 1)
    return most
