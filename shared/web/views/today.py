"""What days and ages are counted against."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.policy import is_stale


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The time, and what is asked of the fleet."""

    now: datetime
    policy: FleetPolicy

    def days_since(self, moment: datetime | None) -> int | None:
        """Return the whole days that have passed since *moment*; None where there is none."""
        return None if moment is None else max(0, (self.now - moment).days)

    def is_past(self, moment: datetime | None) -> bool:
        """Tell whether *moment* has passed."""
        return moment is not None and moment < self.now

    def is_stale(self, evaluated: datetime | None) -> bool:
        """Tell whether an evaluation of Azure Policy is stale; where there is none, nothing is."""
        return is_stale(evaluated, now=self.now, after=self.policy.policy_stale_after)
