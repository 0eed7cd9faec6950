"""Channels and retention in a definition file."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.definitions import load_definitions
from shared.domain.release_rules import DEFAULT_CHANNELS, ChannelRule, RetentionRule
from tests.unit.definitions.files import MINIMAL, definition
from tests.unit.definitions.test_problems import of

CHANNELS = """
channels:
  - name: canary
    soak_minutes: 30
  - name: stable
    approval: true
    waves: [[West Europe], [northeurope]]
    wave_minutes: 90
"""
RETENTION = """
end_of_life_days: 30
block_deletion: false
retention:
  keep: 5
  max_age_days: 180
  rejected_days: null
  notice_days: 14
  dry_run: false
"""
TWO_REGIONS = MINIMAL + "  - name: northeurope\n"


def test_without_a_word_there_are_canary_and_stable(tmp_path: Path) -> None:
    definition(tmp_path)
    loaded = load_definitions(tmp_path)["tiny"]

    assert loaded.channels == DEFAULT_CHANNELS
    assert [c.name for c in loaded.channels] == ["canary", "stable"]
    assert loaded.retention is None


def test_channels_and_retention_are_read(tmp_path: Path) -> None:
    definition(tmp_path, TWO_REGIONS + CHANNELS + RETENTION)
    loaded = load_definitions(tmp_path)["tiny"]

    assert loaded.channels == (
        ChannelRule(name="canary", soak=timedelta(minutes=30)),
        ChannelRule(
            name="stable",
            approval=True,
            waves=(("westeurope",), ("northeurope",)),
            wave_soak=timedelta(minutes=90),
        ),
    )
    assert (loaded.end_of_life_days, loaded.block_deletion) == (30, False)
    assert loaded.retention == RetentionRule(
        keep=5,
        max_age=timedelta(days=180),
        rejected=None,
        notice=timedelta(days=14),
        dry_run=False,
    )


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("channels: []\n", "channels: must not be empty"),
        ("channels: [{name: a-b}, {name: a-b}]\n", "a-b is used above already"),
        ("channels: [{name: a-b, approval: true}]\n", "the first channel needs no approval"),
        (
            "channels: [{name: a-b, waves: [[westeurope]]}, {name: c-d}]\n",
            "only the last channel has waves",
        ),
        ("channels: [{name: a-b, waves: [[mars]]}]\n", "mars is no region of this image"),
        ("channels: [{name: a-b, waves: [[], [westeurope]]}]\n", "names at least one region"),
        (
            "channels: [{name: a-b, waves: [[westeurope], [West Europe]]}]\n",
            "westeurope is in more than one wave",
        ),
        ("channels: [{name: a-b, waves: [[mars]]}]\n", "westeurope: every region is in a wave"),
        ("retention: {keep: 0}\n", "retention.keep: must be at least 1"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, more: str, sentence: str) -> None:
    assert any(sentence in said for said in of(tmp_path, MINIMAL + more)), of(
        tmp_path, MINIMAL + more
    )


def test_more_replicas_than_the_bound_are_refused(tmp_path: Path) -> None:
    text = MINIMAL + "    replicas: 4\n    max_replicas: 3\n"
    [said] = of(tmp_path, text)
    assert said.endswith("regions[0].max_replicas: must be at least replicas (4), is 3")
