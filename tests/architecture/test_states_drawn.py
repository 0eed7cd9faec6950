"""The drawn state tables are those of the code."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_states_is_what_the_code_says() -> None:
    drawn = subprocess.run(
        [sys.executable, "tools/draw_states.py"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    assert drawn.stdout == (ROOT / "docs" / "states.md").read_text()
