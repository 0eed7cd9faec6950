"""Unit tests use no network."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Let every socket fail but the pair asyncio wakes itself with."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
