"""The file format of fleet.yaml: one model per section, one description per field."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.definitions.file_format import Section
from shared.domain.vm_record import Verdict

_MOST_DAYS = 3660
_CONDITIONS = ("tag", "resource_group", "subscription", "management_group")


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise PydanticCustomError(
            "expression", "is no regular expression: {why}", {"why": str(error)}
        ) from error
    return text


Name = Annotated[str, Field(min_length=1, max_length=200)]
Days = Annotated[float, Field(gt=0, le=_MOST_DAYS)]


class OwnerSection(Section):
    """One way to find whose a VM is; the first that finds a team wins."""

    tag: Name | None = Field(default=None, description="The value of this tag is the team.")
    resource_group: Annotated[str, AfterValidator(_expression)] | None = Field(
        default=None,
        description="Regular expression over the resource group's name, in lower case; its group "
        "(?P<team>…) is the team, unless `team` says which.",
    )
    subscription: Name | None = Field(default=None, description="Id of a subscription.")
    management_group: Name | None = Field(
        default=None, description="Name of a management group, at any height above the VM."
    )
    team: Name | None = Field(default=None, description="The team, where the rule applies.")

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        given = [name for name in _CONDITIONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "condition",
                "needs exactly one of tag, resource_group, subscription and management_group",
            )
        if self.tag is not None and self.team is not None:
            raise PydanticCustomError("team", "has a tag, whose value is the team: leave team out")
        if self.tag is None and self.team is None and not self._finds_team_itself():
            raise PydanticCustomError(
                "team", "needs team, or a group (?P<team>…) in resource_group"
            )
        return self

    def _finds_team_itself(self) -> bool:
        pattern = self.resource_group
        return pattern is not None and "team" in re.compile(pattern).groupindex


class GraceSection(Section):
    """How many days a VM may keep a verdict before it counts as overdue; fractions are allowed."""

    aged: Days | None = Field(default=None, description="Since the first newer version came.")
    retired: Days | None = Field(default=None, description="Since the version was retired.")
    revoked: Days | None = Field(default=None, description="Since the version was revoked.")
    unapproved: Days | None = Field(default=None, description="Since the VM was first seen so.")
    unknown: Days | None = Field(default=None, description="Since the VM was first seen so.")

    def days(self) -> dict[Verdict, float]:
        """Return the days that are given, by verdict."""
        given = {verdict: getattr(self, str(verdict), None) for verdict in Verdict}
        return {verdict: days for verdict, days in given.items() if days is not None}


class PetsSection(Section):
    """What is asked of pets."""

    max_age_days: Days | None = Field(
        default=None, description="How old a pet may grow before it is to be rebuilt."
    )
    plan: Annotated[str, Field(max_length=300)] | None = Field(
        default=None, description="What is done with pets, in a sentence; shown with every pet."
    )


class CattleSection(Section):
    """What is asked of cattle."""

    refresh_days: Days | None = Field(
        default=None, description="How long cattle may run one image before they are refreshed."
    )


class TeamSection(Section):
    """What is asked of one team, where it differs from what is asked of all."""

    grace_days: GraceSection = GraceSection()
    pets: PetsSection = PetsSection()
    cattle: CattleSection = CattleSection()


class PolicyStatesSection(Section):
    """How Azure Policy's word is taken."""

    stale_after_hours: Annotated[float, Field(ge=1, le=8760)] = Field(
        default=48,
        description="Age of its evaluation from which a policy state counts as stale. Azure "
        "evaluates every 24 hours.",
    )


class HistorySection(Section):
    """What is kept."""

    keep_days: Annotated[float, Field(ge=1, le=_MOST_DAYS)] = Field(
        default=1095,
        description="How long lines of history, snapshots, and records of deleted VMs are kept.",
    )


class TattooSection(Section):
    """Whose guests may be looked into."""

    tag: Name = Field(
        default="assay-read-tattoo",
        description="Tag that lets Assay read the tattoo inside the guest when it says `true`.",
    )
    every_days: Days = Field(default=7, description="After how many days it is read again.")


class FleetFile(TeamSection):
    """What a company asks of its fleet."""

    owners: Annotated[list[OwnerSection], Field(max_length=200)] = Field(
        default=[OwnerSection(tag="team")],
        description="Whose a VM is: the first rule that finds a team; none makes it `unassigned`.",
    )
    kind_tag: Name = Field(
        default="assay-kind",
        description="Tag that says `pet` or `cattle`; without it members of scale sets are cattle "
        "and all other VMs pets.",
    )
    teams: dict[str, TeamSection] = Field(
        default={}, description="By team: what is asked of it, where it differs."
    )
    policy_states: PolicyStatesSection = PolicyStatesSection()
    history: HistorySection = HistorySection()
    tattoo: TattooSection = TattooSection()
