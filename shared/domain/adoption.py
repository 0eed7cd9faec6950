"""How fast the fleet takes up a version of an image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.snapshot import Dimension, Grain, Snapshot, version_value
from shared.domain.versions import is_version, version_key

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptake:
    """How many VMs of an image ran a version at one time."""

    at: datetime
    grain: Grain
    """How far before it the snapshot before may be."""
    exactly: int
    at_least: int
    """On it or a newer one; versions are compared as numbers."""
    all: int
    """Living VMs of the image."""

    @property
    def share(self) -> float | None:
        """Part of the VMs on it or a newer one; None where the image has no VM."""
        return self.at_least / self.all if self.all else None


def uptake(snapshot: Snapshot, grain: Grain, *, definition: str, version: str) -> Uptake:
    """Return how many VMs in *snapshot* run *version* of our image *definition*."""
    wanted, prefix = version_key(version), f"{definition}/"
    at_least = 0
    for value, verdicts in snapshot.tally.by.get(Dimension.VERSION, {}).items():
        number = value.removeprefix(prefix)
        if value.startswith(prefix) and is_version(number) and version_key(number) >= wanted:
            at_least += sum(verdicts.values())
    return Uptake(
        at=snapshot.as_of,
        grain=grain,
        exactly=snapshot.tally.total(Dimension.VERSION, version_value(definition, version)),
        at_least=at_least,
        all=snapshot.tally.total(Dimension.IMAGE, definition),
    )


def hours_until(share: float, curve: Sequence[Uptake], *, published_at: datetime) -> float | None:
    """Return the hours from publishing to the first point at or above *share*; None for never.

    Rounded up to a hundredth: the fleet was there by then.
    """
    reached = (u.at for u in curve if u.share is not None and u.share >= share)
    first = next(reached, None)
    if first is None:
        return None
    return math.ceil(max(first - published_at, timedelta()) / _HOUR * 100) / 100
