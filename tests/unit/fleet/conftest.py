"""What the tests of the track flow share."""

import pytest

from tests.unit.fleet.register import Register


@pytest.fixture
def register() -> Register:
    """Return an empty register."""
    return Register()
