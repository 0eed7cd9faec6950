"""The policy definitions of infra/policies are such as Azure Policy takes, and our code expects."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "infra" / "policies"
GOLDEN = "vm-runs-current-golden-image"


def properties(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())["properties"]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda p: p.stem)
def test_a_definition_says_what_it_is(path: Path) -> None:
    definition = properties(path.stem)

    assert set(definition) >= {"displayName", "description", "mode", "metadata", "policyRule"}
    assert len(definition["displayName"]) <= 128
    assert len(definition["description"]) <= 512
    assert definition["policyType"] == "Custom"
    assert set(definition["metadata"]) >= {"version", "category"}


def test_the_state_of_every_machine_is_set_by_attestation_alone() -> None:
    rule = properties(GOLDEN)["policyRule"]

    assert rule["then"]["effect"] == "manual"
    assert rule["if"] == {
        "field": "type",
        "in": [
            "Microsoft.Compute/virtualMachines",
            "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
        ],
    }


def test_a_machine_without_attestation_is_unknown_unless_the_assignment_says_otherwise() -> None:
    definition = properties(GOLDEN)

    assert definition["mode"] == "Indexed"
    assert definition["policyRule"]["then"]["details"] == {
        "defaultState": "[parameters('defaultState')]"
    }
    state = definition["parameters"]["defaultState"]
    assert (state["type"], state["defaultValue"]) == ("String", "Unknown")
    assert state["allowedValues"] == ["Unknown", "Compliant", "Non-compliant"]
