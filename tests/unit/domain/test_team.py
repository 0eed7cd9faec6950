"""Whose a VM is, and whether it is a pet or cattle."""

import re

import pytest

from shared.domain.team import NO_TEAM, TeamRules, kind_of, team_of
from shared.domain.vm_record import Kind

RULES = TeamRules(
    tag="team",
    resource_group=re.compile(r"^rg-(?P<team>[a-z]+)-"),
    subscriptions={"sub-1": "Platform"},
)


@pytest.mark.parametrize(
    ("tags", "group", "subscription", "team"),
    [
        pytest.param({"team": "Payments "}, "rg-search-prod", "sub-1", "payments", id="tag"),
        pytest.param({"team": " "}, "rg-search-prod", "sub-1", "search", id="resource group"),
        pytest.param({}, "shared", "sub-1", "platform", id="subscription"),
        pytest.param({}, "shared", "sub-2", NO_TEAM, id="no rule finds one"),
    ],
)
def test_the_first_rule_that_names_a_team_wins(
    tags: dict[str, str], group: str, subscription: str, team: str
) -> None:
    assert team_of(RULES, tags=tags, resource_group=group, subscription_id=subscription) == team


def test_without_a_pattern_the_resource_group_says_nothing() -> None:
    rules = TeamRules(tag="team", resource_group=None, subscriptions={})
    found = team_of(rules, tags={}, resource_group="rg-search-prod", subscription_id="sub-1")
    assert found == "unassigned"


@pytest.mark.parametrize(
    ("tags", "scale_set_id", "kind"),
    [
        ({"assay-kind": "Cattle"}, "", Kind.CATTLE),
        ({"assay-kind": "pet"}, "/subscriptions/…/api", Kind.PET),
        ({"assay-kind": "goldfish"}, "", Kind.PET),
        ({}, "/subscriptions/…/api", Kind.CATTLE),
        ({}, "", Kind.PET),
    ],
)
def test_the_tag_decides_over_membership_in_a_scale_set(
    tags: dict[str, str], scale_set_id: str, kind: Kind
) -> None:
    assert kind_of("assay-kind", tags=tags, scale_set_id=scale_set_id) is kind
