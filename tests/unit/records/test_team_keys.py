"""Anybody may write the tag that says whose a VM is."""

import pytest

from shared.domain.team import OwnerRule, Place, TeamRules, team_of
from shared.records.keys import check_key
from shared.records.vm_history import team_scope

RULES = TeamRules(owners=(OwnerRule(tag="team"),))


@pytest.mark.parametrize("character", ["/", "\N{ROCKET}"])
def test_the_longest_tag_azure_takes_makes_a_key(character: str) -> None:
    place = Place(tags={"team": character * 256}, resource_group="rg", subscription_id="s")
    team = team_of(RULES, place)
    assert len(team) == 100
    check_key(f"{team_scope(team)}|a")
