"""One machine as reports count it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRow:
    """What reports count of one VM."""

    team: str
    definition: str
    """Name of our image definition; empty when the image is not one of ours."""
    image_id: str
    version: str
    verdict: str
    kind: str
    machine: str
    region: str
    subscription_id: str
    policy: str
    created_at: datetime
    """When it was made, or first seen."""
    image_published_at: datetime | None
    due_at: datetime | None
    """The earlier of the days its verdict and its plan want something done by."""
