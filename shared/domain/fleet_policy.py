"""What a company asks of its fleet: whose VMs are, how soon to act, what to keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.team import TeamRules
from shared.domain.vm_record import Kind, Verdict

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPolicy:
    """What is asked of one team."""

    grace: Mapping[Verdict, timedelta]
    """How long a VM may keep a verdict; one that is missing is never due."""
    pet_max_age: timedelta | None = None
    """How old a pet may grow; None for any age."""
    pet_plan: str = ""
    """What is done with pets, in a sentence of the company's own."""
    cattle_refresh: timedelta | None = None
    """How long cattle may run one image; None for any time."""

    def due_at(self, verdict: Verdict, since: datetime) -> datetime | None:
        """Return by when a VM that has *verdict* *since* then is to be redeployed."""
        grace = self.grace.get(verdict)
        return None if grace is None else since + grace

    def plan_due_at(
        self, kind: Kind, *, created_at: datetime, runs_since: datetime
    ) -> datetime | None:
        """Return by when a pet is to be rebuilt or cattle to be refreshed, by plan."""
        if kind is Kind.PET:
            return None if self.pet_max_age is None else created_at + self.pet_max_age
        return None if self.cattle_refresh is None else runs_since + self.cattle_refresh


DEFAULT_GRACE: Mapping[Verdict, timedelta] = {
    Verdict.AGED: 30 * _DAY,
    Verdict.RETIRED: 14 * _DAY,
    Verdict.REVOKED: 2 * _DAY,
    Verdict.UNAPPROVED: 30 * _DAY,
    Verdict.UNKNOWN: 30 * _DAY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPolicy:
    """Everything in fleet.yaml; docs/fleet-policy.md describes each field."""

    rules: TeamRules = field(default_factory=TeamRules)
    kind_tag: str = "assay-kind"
    """Tag that says `pet` or `cattle`, in lower case."""
    default: TeamPolicy = field(default_factory=lambda: TeamPolicy(grace=DEFAULT_GRACE))
    teams: Mapping[str, TeamPolicy] = field(default_factory=dict)
    """By team, in lower case."""
    policy_stale_after: timedelta = timedelta(hours=48)
    """Age of its evaluation from which a policy state counts as stale."""
    history_kept: timedelta = 1095 * _DAY
    """How long lines of history and the records of deleted VMs are kept."""
    tattoo_tag: str = "assay-read-tattoo"
    """Tag, in lower case, that lets us read the tattoo in the guest when it says `true`."""
    tattoo_every: timedelta = 7 * _DAY
    """After this a tattoo is read again."""

    def of(self, team: str) -> TeamPolicy:
        """Return what is asked of *team*."""
        return self.teams.get(team, self.default)

    @property
    def tags(self) -> frozenset[str]:
        """Names of the tags any rule looks at: no others are kept."""
        return self.rules.tags | {self.kind_tag, self.tattoo_tag}
