"""What the scenario expects."""

import pytest

from localcloud.scenario.expect import Look, ScenarioError, expect


async def test_what_is_found_is_returned() -> None:
    looks = iter([Look(None, "nothing yet"), Look("a VM", "a VM")])

    async def look() -> Look[str]:
        return next(looks)

    assert await expect("a VM", look, within=5) == "a VM"


async def test_a_broken_expectation_says_what_was_expected_and_what_was_seen() -> None:
    async def look() -> Look[str]:
        return Look(None, "verdict aged")

    with pytest.raises(ScenarioError) as broken:
        await expect("VM web-01 with verdict current", look, within=0)

    assert str(broken.value) == (
        "expected VM web-01 with verdict current within 0 s; saw verdict aged"
    )
