"""What is known of a subscription: where it belongs, whether we may read it, when it was swept."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription whose VMs are tracked."""

    subscription_id: str
    management_groups: tuple[str, ...] = ()
    """Names in lower case, the nearest first."""
    problem: str = ""
    """Why its VMs cannot be read; empty when they can."""
    problem_since: datetime | None = None
    swept_at: datetime | None = None
    """When the last sweep that went through all of its VMs began: so old is what is confirmed."""
    policy_swept_at: datetime | None = None
    """The same for its policy states."""
    policy_problem: str = ""
    """Why the last sweep could not go through its policy states; empty when it could."""

    @property
    def is_troubled(self) -> bool:
        """Whether there is something a person has to mend."""
        return bool(self.problem or self.policy_problem)

    def troubled(self, problem: str, *, now: datetime) -> "Subscription":
        """Return it with a *problem*; one that lasts keeps its beginning."""
        since = self.problem_since if self.problem else now
        return replace(self, problem=problem, problem_since=since)

    def readable(self) -> "Subscription":
        """Return it without a problem."""
        return replace(self, problem="", problem_since=None)
