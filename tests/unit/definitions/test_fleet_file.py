"""The fleet policy as people write it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.definitions import load_fleet_policy
from shared.definitions.__main__ import main
from shared.definitions.schema import fleet_schema_text
from shared.domain.team import Place, team_of
from shared.domain.vm_record import Kind, Verdict
from shared.errors import DefinitionError

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

WHOLE = """
owners:
  - tag: Team
  - resource_group: "^rg-(?P<team>[a-z]+)-"
  - resource_group: "^rg-hub$"
    team: network
  - subscription: 00000000-0000-4000-8000-00000000000A
    team: Platform
  - management_group: MG-Pay
    team: pay
kind_tag: Kind
grace_days: { aged: 20, revoked: 0.5 }
pets: { max_age_days: 300, plan: Rebuilt within a year. }
cattle: { refresh_days: 14 }
teams:
  Pay:
    grace_days: { aged: 7 }
    cattle: { refresh_days: 3 }
policy_states: { stale_after_hours: 36 }
history: { keep_days: 400 }
tattoo: { tag: Read-Tattoo, every_days: 1.5 }
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "fleet.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[str]:
    path = write(folder, text)
    with pytest.raises(DefinitionError) as caught:
        load_fleet_policy(path)
    return [p.removeprefix(f"{path}:") for p in caught.value.problems]


def test_a_whole_policy_is_read(tmp_path: Path) -> None:
    policy = load_fleet_policy(write(tmp_path, WHOLE))
    assert policy.kind_tag == "kind"
    assert policy.tags == {"team", "kind", "read-tattoo"}
    assert policy.policy_stale_after == timedelta(hours=36)
    assert policy.history_kept == timedelta(days=400)
    assert policy.tattoo_every == timedelta(days=1.5)
    place = Place(
        tags={},
        resource_group="shared",
        subscription_id="sub",
        management_groups=("mg-pay", "mg-all"),
    )
    assert team_of(policy.rules, place) == "pay"
    by_subscription = Place(
        tags={}, resource_group="x", subscription_id="00000000-0000-4000-8000-00000000000a"
    )
    assert team_of(policy.rules, by_subscription) == "platform"


def test_a_team_has_everything_of_the_default_it_does_not_say_itself(tmp_path: Path) -> None:
    policy = load_fleet_policy(write(tmp_path, WHOLE))
    pay, others = policy.of("pay"), policy.of("web")
    assert others.due_at(Verdict.AGED, NOON) == NOON + timedelta(days=20)
    assert others.due_at(Verdict.REVOKED, NOON) == NOON + timedelta(hours=12)
    assert others.due_at(Verdict.RETIRED, NOON) == NOON + timedelta(days=14)
    assert others.due_at(Verdict.CURRENT, NOON) is None
    assert pay.due_at(Verdict.AGED, NOON) == NOON + timedelta(days=7)
    assert pay.due_at(Verdict.REVOKED, NOON) == NOON + timedelta(hours=12)
    plans = [
        p.plan_due_at(kind, created_at=NOON, runs_since=NOON + timedelta(days=1))
        for p in (others, pay)
        for kind in Kind
    ]
    assert plans == [NOON + timedelta(days=d) for d in (300, 15, 300, 4)]
    assert pay.pet_plan == "Rebuilt within a year."


def test_without_a_file_everything_is_as_by_default(tmp_path: Path) -> None:
    policy = load_fleet_policy(tmp_path / "fleet.yaml")
    assert policy.rules.tags == {"team"}
    assert policy.of("web").due_at(Verdict.AGED, NOON) == NOON + timedelta(days=30)
    assert policy.of("web").plan_due_at(Kind.PET, created_at=NOON, runs_since=NOON) is None


def test_the_file_that_ships_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", str(ROOT / "fleet.yaml")]) == 0
    assert "1 ways to find a team; teams with rules of their own: none" in capsys.readouterr().out


ONE_OF_FOUR = "needs exactly one of tag, resource_group, subscription and management_group"
NO_TEAM_FOUND = "needs team, or a group (?P<team>…) in resource_group"
UNKNOWN = "is not a field of the fleet policy here; did you mean"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("owners:\n  - team: web\n", f"2: owners[0]: {ONE_OF_FOUR}"),
        ("owners:\n  - tag: a\n    subscription: b\n", f"2: owners[0]: {ONE_OF_FOUR}"),
        (
            "owners:\n  - tag: a\n    team: b\n",
            "2: owners[0]: has a tag, whose value is the team: leave team out",
        ),
        ("owners:\n  - management_group: a\n", f"2: owners[0]: {NO_TEAM_FOUND}"),
        ("owners:\n  - resource_group: rg-(.*)\n", f"2: owners[0]: {NO_TEAM_FOUND}"),
        (
            "owners:\n  - resource_group: 'rg-('\n",
            "2: owners[0].resource_group: is no regular expression: missing ), unterminated "
            "subpattern at position 3",
        ),
        ("grace_days: { agd: 3 }\n", f"1: grace_days.agd: {UNKNOWN} aged?"),
        ("grace_days: { aged: 0 }\n", "1: grace_days.aged: must be more than 0, is 0"),
        (
            "cattle: { refresh_days: soon }\n",
            "1: cattle.refresh_days: must be a number, is 'soon'",
        ),
        (
            "teams:\n  pay:\n    grace: { aged: 1 }\n",
            f"3: teams.pay.grace: {UNKNOWN} grace_days?",
        ),
        (
            "policy_states: { stale_after_hours: 0 }\n",
            "1: policy_states.stale_after_hours: must be at least 1, is 0",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_field(
    tmp_path: Path, text: str, said: str
) -> None:
    assert problems(tmp_path, text) == [said]


def test_a_faulty_file_ends_the_check_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "pets: { max_age_days: 0 }\nkind: x\n")
    assert main(["fleet", str(path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{path}:1: pets.max_age_days: must be more than 0, is 0",
        f"{path}:2: kind: is not a field of the fleet policy here; did you mean kind_tag?",
    ]


def test_a_missing_file_is_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", str(tmp_path / "fleet.yaml")]) == 0
    assert "everything is as by default" in capsys.readouterr().out


def test_the_committed_schema_is_that_of_the_code() -> None:
    committed = ROOT / "docs" / "schemas" / "fleet-policy.schema.json"
    assert committed.read_text(encoding="utf-8") == fleet_schema_text()
