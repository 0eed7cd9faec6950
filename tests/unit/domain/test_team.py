"""Whose a VM is, and whether it is a pet or cattle."""

import re

import pytest

from shared.domain.team import NO_TEAM, OwnerRule, Place, TeamRules, kind_of, team_of
from shared.domain.vm_record import Kind

RULES = TeamRules(
    owners=(
        OwnerRule(tag="team"),
        OwnerRule(resource_group=re.compile(r"^rg-(?P<team>[a-z]+)-")),
        OwnerRule(resource_group=re.compile("^rg-hub$"), team="Network"),
        OwnerRule(subscription_id="sub-1", team="Platform"),
        OwnerRule(management_group="mg-pay", team="Pay"),
        OwnerRule(management_group="mg-all", team="Everybody"),
    )
)


@pytest.mark.parametrize(
    ("tags", "group", "subscription", "groups", "team"),
    [
        pytest.param({"team": "Payments "}, "rg-search-prod", "sub-1", (), "payments", id="tag"),
        pytest.param({"team": " "}, "rg-search-prod", "sub-1", (), "search", id="resource group"),
        pytest.param({}, "rg-hub", "sub-1", (), "network", id="resource group with a team"),
        pytest.param({}, "shared", "sub-1", ("mg-pay",), "platform", id="subscription"),
        pytest.param({}, "shared", "sub-2", ("mg-pay", "mg-all"), "pay", id="management group"),
        pytest.param({}, "shared", "sub-2", ("mg-x", "mg-all"), "everybody", id="one far above"),
        pytest.param({}, "shared", "sub-2", (), NO_TEAM, id="no rule finds one"),
    ],
)
def test_the_first_rule_that_finds_a_team_wins(
    tags: dict[str, str], group: str, subscription: str, groups: tuple[str, ...], team: str
) -> None:
    place = Place(
        tags=tags, resource_group=group, subscription_id=subscription, management_groups=groups
    )
    assert team_of(RULES, place) == team


def test_rules_say_which_tags_they_look_at_and_whether_they_ask_for_management_groups() -> None:
    assert RULES.tags == {"team"}
    assert RULES.ask_management_groups
    assert not TeamRules().ask_management_groups


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
