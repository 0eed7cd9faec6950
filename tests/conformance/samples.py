"""Recorded Azure traffic and official specifications, which live beside the checkout."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

_BESIDE = Path(__file__).parents[3] / "shared" / "samples"


def samples_folder() -> Path:
    """The samples; skips the test where they are absent."""
    folder = Path(os.environ.get("ASSAY_SAMPLES", str(_BESIDE)))
    if not (folder / "arm").is_dir():
        pytest.skip(f"no recorded Azure traffic in {folder} (set ASSAY_SAMPLES)")
    return folder


def recording_names() -> list[str]:
    """The recordings there are, for parametrisation; one dummy where there are none."""
    folder = Path(os.environ.get("ASSAY_SAMPLES", str(_BESIDE))) / "arm"
    names = sorted(path.name for path in folder.glob("*.json") if path.name != "index.json")
    return names or ["none"]


@dataclass(frozen=True)
class Interaction:
    """One recorded request and its answer."""

    method: str
    path: str
    query: str
    body: Any
    status: int
    headers: dict[str, str]
    answer: Any

    @property
    def resource_path(self) -> str:
        """What follows the last `/providers/`, without names: `Microsoft.Compute/galleries`."""
        namespace, *rest = self.path.rsplit("/providers/", 1)[-1].split("/")
        return "/".join([namespace, *rest[::2]])


def load(name: str) -> list[Interaction]:
    """The interactions of one recording, in order."""
    text = (samples_folder() / "arm" / name).read_text(encoding="utf-8")
    return [_interaction(each) for each in json.loads(text)["interactions"]]


def _interaction(raw: dict[str, Any]) -> Interaction:
    request, response = raw["request"], raw["response"]
    url = urlsplit(request["uri"])
    return Interaction(
        method=request["method"],
        path=url.path,
        query=url.query,
        body=request.get("body"),
        status=int(response["status"]),
        headers={key.lower(): value for key, value in response["headers"].items()},
        answer=_joined(response.get("body")),
    )


def _joined(body: Any) -> Any:
    # Some recordings keep an answer as a list of text lines, cut after some of its elements.
    if not (isinstance(body, list) and body and isinstance(body[0], str)):
        return [row for row in body if isinstance(row, dict)] if isinstance(body, list) else body
    text = "".join(line for line in body if isinstance(line, str)).strip()
    if not text.startswith("["):
        return json.loads(text)
    rows, decoder = [], json.JSONDecoder()
    position = text.find("{")
    while position >= 0:
        try:
            row, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError:
            break
        rows.append(row)
        position = text.find("{", end)
    return rows
