"""Every setting is in docs/settings.md and local.settings.sample.json, and nothing else is."""

import json
import re
from pathlib import Path

from shared.settings import VARIABLES, Variable, settings_from_environ

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "local.settings.sample.json"
HOSTS_OWN = {"FUNCTIONS_WORKER_RUNTIME", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"}
"""Read by the Functions host and by azure-identity, not by Assay."""


def _row(variable: Variable) -> str:
    default = f"`{variable.default}`" if variable.default else "empty"
    if variable.default is None:
        default = "must be set"
    means = variable.means.replace("<", r"\<")  # else Markdown takes it for HTML
    return f"| `{variable.name}` | {means} | {default} |"


def _sample() -> dict[str, str]:
    values: dict[str, str] = json.loads(SAMPLE.read_text(encoding="utf-8"))["Values"]
    return values


def test_the_settings_page_lists_every_variable_with_meaning_and_default() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    section = page.split("## What Assay reads")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert rows == [_row(v) for v in VARIABLES]


def test_the_sample_settings_hold_every_variable_and_no_other() -> None:
    assert set(_sample()) == {v.name for v in VARIABLES} | HOSTS_OWN


def test_the_sample_settings_are_settings_the_app_starts_with() -> None:
    settings = settings_from_environ(_sample())
    assert settings.arm_endpoint == "http://127.0.0.1:7072"
    assert settings.public_url == "http://127.0.0.1:7071"


def test_the_sample_settings_hold_no_secret() -> None:
    values = _sample()
    assert values["AzureWebJobsStorage"] == "UseDevelopmentStorage=true"
    secret = re.compile(r"AccountKey=|SharedAccessSignature|[?&]sig=|password", re.IGNORECASE)
    assert [name for name, value in values.items() if secret.search(value)] == []
