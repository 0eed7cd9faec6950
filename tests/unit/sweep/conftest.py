"""What the tests of sweeps share."""

import pytest

from tests.unit.sweep.estate import Estate


@pytest.fixture
def estate() -> Estate:
    """Return an estate nobody has swept."""
    return Estate()
