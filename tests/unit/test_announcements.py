"""Every event has a schema, and the schema is what the code says and sends."""

import ast
import json
import re
from pathlib import Path

import jsonschema
import pytest

from shared.announcements import EVENT_TYPE_BY_NAME, EVENT_TYPES, EventType, check
from shared.factory.notes import note_of
from shared.messages import Announcement
from shared.workflow import STEPS

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "docs" / "schemas" / "events"
ANNOUNCED = {name for step in STEPS for name in step.announces}


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda k: k.name)
def test_the_committed_schema_is_that_of_the_code(kind: EventType) -> None:
    """(Written anew with `python -m shared.announcements docs/schemas/events`.)"""
    committed = (SCHEMAS / kind.schema_name).read_text(encoding="utf-8")
    assert committed == kind.schema_text()
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))


def test_no_schema_is_left_of_an_event_that_is_gone() -> None:
    known = {t.schema_name for t in EVENT_TYPES}
    current = {p.name for p in SCHEMAS.glob("*.json")}
    assert {re.sub(r"\.v\d+\.json$", "", name) for name in current - known} <= set(
        EVENT_TYPE_BY_NAME
    )


def test_the_steps_announce_what_is_listed_and_nothing_is_listed_in_vain() -> None:
    assert set(EVENT_TYPE_BY_NAME) == ANNOUNCED


def test_every_name_in_the_code_is_listed() -> None:
    named = {
        str(keyword.value.value)
        for path in (ROOT / "shared").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Announcement"
        for keyword in node.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
    }
    assert named
    assert named <= set(EVENT_TYPE_BY_NAME)


def test_the_page_of_events_lists_each_with_its_meaning_and_schema() -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `Assay\.(\w+)` \| (.+) \| \[(.+)\]\((.+)\) \| (yes|) *\|$", page, re.M)
    assert rows == [
        (t.name, t.means, f"v{t.version}", f"schemas/events/{t.schema_name}",
         "yes" if t.tells_people else "")
        for t in EVENT_TYPES
    ]  # fmt: skip


def test_an_event_nobody_listed_is_found_out() -> None:
    with pytest.raises(ValueError, match=r"Assay\.Nonsense is not listed"):
        check(Announcement(name="Nonsense", subject="s", key="k"))


def test_data_that_does_not_fit_its_schema_is_found_out() -> None:
    with pytest.raises(ValueError, match="sourceVersion"):
        check(Announcement(name="ImagePublished", subject="s", key="k", data={"build": "b"}))


@pytest.mark.parametrize("kind", [t for t in EVENT_TYPES if t.tells_people], ids=lambda k: k.name)
def test_what_people_are_told_has_a_title_of_its_own(kind: EventType) -> None:
    assert note_of(kind.name, "images/x", {}).title != f"{kind.name}: images/x"
