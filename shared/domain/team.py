"""Whose a VM is, and whether it is a pet or cattle: by rules over facts, never by asking."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.vm_record import Kind

NO_TEAM = "unassigned"
"""Team of a VM no rule finds a team for: a to-do list of its own."""

LONGEST = 100
"""Characters of a team's name. Anybody may write a tag, of up to 256 characters; escaped, those
would not fit into a key, and the VM would be in no list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the rules may ask of a VM; all of it in lower case but the tags' values."""

    tags: Mapping[str, str]
    resource_group: str
    subscription_id: str
    management_groups: Sequence[str] = ()
    """Names of the management groups its subscription is in, the nearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRule:
    """One way to find a team; exactly one of its four conditions is set."""

    tag: str = ""
    """Name of a tag, in lower case (Azure does not tell tag names apart by case)."""
    resource_group: re.Pattern[str] | None = None
    """Its group called `team` is the team where *team* is empty."""
    subscription_id: str = ""
    management_group: str = ""
    team: str = ""
    """The team, for all but a tag."""

    def team_at(self, place: Place) -> str:
        """Return the team this rule finds at *place*, in lower case; empty when it finds none.

        A name that is too long is cut.
        """
        return self._team_at(place).strip().lower()[:LONGEST].strip()

    def _team_at(self, place: Place) -> str:
        if self.tag:
            return place.tags.get(self.tag, "")
        if self.resource_group:
            match = self.resource_group.search(place.resource_group)
            return (self.team or match["team"] or "") if match else ""
        if self.subscription_id:
            return self.team if self.subscription_id == place.subscription_id else ""
        return self.team if self.management_group in place.management_groups else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRules:
    """Whose a VM is: the first rule that finds a team."""

    owners: tuple[OwnerRule, ...] = field(default_factory=lambda: (OwnerRule(tag="team"),))

    @property
    def ask_management_groups(self) -> bool:
        """Whether any rule looks at management groups."""
        return any(rule.management_group for rule in self.owners)

    @property
    def tags(self) -> frozenset[str]:
        """Names of the tags the rules look at."""
        return frozenset(rule.tag for rule in self.owners if rule.tag)


def team_of(rules: TeamRules, place: Place) -> str:
    """Return the team in lower case, NO_TEAM when no rule finds one."""
    found = (rule.team_at(place) for rule in rules.owners)
    return next((team for team in found if team), NO_TEAM)


def kind_of(kind_tag: str, *, tags: Mapping[str, str], scale_set_id: str) -> Kind:
    """Return what the tag says, else cattle for a scale set's member and pet for any other VM.

    A tag that says neither `pet` nor `cattle` counts as missing.
    """
    said = tags.get(kind_tag, "").strip().lower()
    if said in Kind:
        return Kind(said)
    return Kind.CATTLE if scale_set_id else Kind.PET
