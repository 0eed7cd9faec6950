"""How long another service asks us to wait."""

from datetime import timedelta

import pytest

from shared.domain.retry_after import retry_after


@pytest.mark.parametrize(("said", "seconds"), [("0", 0), ("17", 17), (" 5 ", 5)])
def test_seconds_are_waited(said: str, seconds: int) -> None:
    assert retry_after({"Retry-After": said}) == timedelta(seconds=seconds)


@pytest.mark.parametrize("said", ["", "-1", "1.5", "²", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_anything_else_says_nothing(said: str) -> None:
    assert retry_after({"Retry-After": said}) is None


def test_no_header_says_nothing() -> None:
    assert retry_after({}) is None
    assert retry_after(None) is None
