"""What a definition says of its releases: channels, waves, ageing and retention."""

from dataclasses import dataclass
from datetime import timedelta

REPLICAS_FOR_PRODUCTION = 3
VMS_PER_REPLICA = 20
"""One replica for 20 VMs made at once, and at least 3 in production; the pages name 20 and 50, the
lower one is safe (https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery,
https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRule:
    """One channel of a definition: how a version gets in, and how long it stays on trial."""

    name: str
    soak: timedelta | None = None
    """How long a version is in this channel before it may enter the next; None means as long as
    the deployment says."""
    approval: bool = False
    """Whether a person has to approve a version before it enters this channel."""
    waves: tuple[tuple[str, ...], ...] = ()
    """Regions in the order in which `latest` moves there, a wave at a time; empty means all at
    once. Only the last channel has waves: the others do not touch `latest`."""
    wave_soak: timedelta = timedelta(hours=1)
    """Between two waves."""


DEFAULT_CHANNELS = (ChannelRule(name="canary"), ChannelRule(name="stable"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRule:
    """When versions leave the gallery. A version goes when it is beyond *keep* and too old."""

    keep: int = 3
    """So many of the newest versions stay, however old."""
    max_age: timedelta | None = None
    """Versions older than this go; None means age alone is no reason."""
    after_end_of_life: bool = True
    """Aged versions go after their end of life."""
    rejected: timedelta | None = timedelta(days=14)
    """Rejected versions go this long after they were made; None keeps them."""
    notice: timedelta = timedelta(days=7)
    """Between telling the teams and deleting."""
    dry_run: bool = True
    """Only say what would go."""


def replicas_for(together: int, *, least: int, most: int) -> int:
    """Return how many replicas a region needs when *together* VMs are made at once.

    *most* of 0 means that the region does not follow the fleet: it keeps *least*.
    """
    if not most:
        return least
    needed = -(-together // VMS_PER_REPLICA)
    return min(most, max(least, REPLICAS_FOR_PRODUCTION, needed))
