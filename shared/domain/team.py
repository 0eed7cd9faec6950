"""Whose a VM is, and whether it is a pet or cattle: by rules over facts, never by asking."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.vm_record import Kind

NO_TEAM = "unassigned"
"""Team of a VM no rule finds a team for: a to-do list of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRules:
    """Whose a VM is: the tag, else the resource group's name, else the subscription."""

    tag: str
    """Name of the tag, in lower case; Azure does not tell tag names apart by case."""
    resource_group: re.Pattern[str] | None
    """Its group called `team` is the team."""
    subscriptions: Mapping[str, str]
    """Team by subscription id."""


def team_of(
    rules: TeamRules, *, tags: Mapping[str, str], resource_group: str, subscription_id: str
) -> str:
    """Return the team in lower case, NO_TEAM when no rule finds one.

    *tags* have lower-case names; *resource_group* and *subscription_id* are lower case.
    """
    by_tag = tags.get(rules.tag, "").strip()
    by_group = _team_in(rules.resource_group, resource_group)
    by_subscription = rules.subscriptions.get(subscription_id, "").strip()
    return (by_tag or by_group or by_subscription or NO_TEAM).lower()


def kind_of(kind_tag: str, *, tags: Mapping[str, str], scale_set_id: str) -> Kind:
    """Return what the tag says, else cattle for a scale set's member and pet for any other VM.

    A tag that says neither `pet` nor `cattle` counts as missing.
    """
    said = tags.get(kind_tag, "").strip().lower()
    if said in Kind:
        return Kind(said)
    return Kind.CATTLE if scale_set_id else Kind.PET


def _team_in(pattern: re.Pattern[str] | None, resource_group: str) -> str:
    match = pattern.search(resource_group) if pattern else None
    return (match["team"] or "").strip() if match else ""
