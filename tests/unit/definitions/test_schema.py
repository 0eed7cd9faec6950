"""The JSON Schema for editors, and the page for people."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from shared.definitions.schema import schema_text

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "docs" / "schemas" / "image-definition.schema.json"
PAGE = ROOT / "docs" / "image-definitions.md"


def fields() -> list[tuple[str, str, str]]:
    """Return section, field and description of every field in the schema."""
    schema = json.loads(schema_text())
    sections: dict[str, Any] = {"": schema, **schema["$defs"]}
    return [
        (section, name, what["description"])
        for section, body in sections.items()
        for name, what in body["properties"].items()
    ]


def test_the_committed_schema_is_that_of_the_code() -> None:
    assert COMMITTED.read_text() == schema_text()


@pytest.mark.parametrize("path", sorted((ROOT / "images").glob("*.yaml")), ids=lambda p: p.stem)
def test_editors_find_nothing_wrong_with_the_definitions(path: Path) -> None:
    schema = json.loads(schema_text())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_editors_see_a_check_with_two_scripts() -> None:
    document = yaml.safe_load((ROOT / "images" / "debian-12.yaml").read_text())
    document["checks"][0]["powershell"] = "b.ps1"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json.loads(schema_text()))


@pytest.mark.parametrize(("section", "name", "description"), fields())
def test_the_page_explains_every_field(section: str, name: str, description: str) -> None:
    row = f"| `{name}` |"
    rows = [line for line in PAGE.read_text().splitlines() if row in line]
    assert [line for line in rows if description in line], f"{section}.{name}"
