"""What the architecture tests share."""

import os

import pytest

from tests.settings import APP_ENVIRON


@pytest.fixture
def app_environ() -> dict[str, str]:
    """Return the environment of a process that can import the app."""
    return {**os.environ, **APP_ENVIRON}
