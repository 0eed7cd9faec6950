"""The table of steps, the triggers, the queues, the steps' code and the docs say the same."""

import inspect
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from shared.dispatch import STEP_FUNCTIONS, ports_of
from shared.intake import MAX_DELIVERIES
from shared.messages import COMMANDS
from shared.runtime import Runtime
from shared.workflow import STEPS, Step

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = (ROOT / "docs" / "messages.md").read_text()


def row(step: Step) -> str:
    """Return the line docs/messages.md has to hold for *step*."""
    sends = ", ".join(f"`{c.kind}`" for c in step.sends) or "none"
    announces = ", ".join(f"`Assay.{name}`" for name in step.announces) or "none"
    said = (step.command.__doc__ or "").split("\n", maxsplit=1)[0]
    return f"| `{step.name}` | `{step.queue}` | {said} | {sends} | {announces} |"


def test_every_message_has_one_step_and_every_step_a_function() -> None:
    assert {s.name for s in STEPS} == set(COMMANDS) == set(STEP_FUNCTIONS)
    assert len({s.queue for s in STEPS}) == len(STEPS)


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.name)
def test_a_step_lives_in_the_module_of_its_name(step: Step) -> None:
    package = "factory" if step.flow == "publish" else "fleet"

    assert STEP_FUNCTIONS[step.name].__module__ == f"shared.{package}.{step.name}"


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.name)
def test_a_step_asks_only_for_ports_the_runtime_has(step: Step) -> None:
    assert set(ports_of(STEP_FUNCTIONS[step.name])) <= {f.name for f in fields(Runtime)}


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.name)
def test_a_step_sends_only_what_the_table_says(step: Step) -> None:
    """The build steps send through `following`, so only the names in their own module count."""
    source = inspect.getsource(inspect.getmodule(STEP_FUNCTIONS[step.name]) or pytest)
    classes = {c.__name__: c for c in COMMANDS.values() if c is not step.command}
    sent = {name for name in classes if re.search(rf"\b{name}\(", source)}

    assert sent <= {c.__name__ for c in step.sends}


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.name)
def test_the_docs_have_the_row_of_the_step(step: Step) -> None:
    assert row(step) in MESSAGES


def test_the_docs_have_no_row_of_a_step_that_is_gone() -> None:
    documented = re.findall(r"^\| `(\w+)` \| `[\w-]+` \|", MESSAGES, re.MULTILINE)

    assert documented == [s.name for s in STEPS]


def host_json() -> Any:
    return json.loads((ROOT / "host.json").read_text())


def test_the_host_gives_a_message_up_when_we_think_it_does() -> None:
    assert host_json()["extensions"]["queues"]["maxDequeueCount"] == MAX_DELIVERIES


def test_queue_texts_reach_us_as_they_are() -> None:
    assert host_json()["extensions"]["queues"]["messageEncoding"] == "none"
