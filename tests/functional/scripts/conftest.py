"""Fixtures of the script tests."""

from pathlib import Path

import pytest

from tests.functional.scripts.guest import Guest


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    """A fresh guest."""
    return Guest(tmp_path)
