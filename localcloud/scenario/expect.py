"""Expectations of the scenario: waited for within a time, and said plainly when broken."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from localcloud.errors import LocalCloudError

POLL_SECONDS = 0.25


class ScenarioError(LocalCloudError):
    """Something the scenario expected did not happen."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}; saw {seen}")


@dataclass(frozen=True)
class Look[T]:
    """One look at the world: what was looked for, None where it is not there, and what was seen."""

    found: T | None
    seen: str


async def expect[T](expected: str, look: Callable[[], Awaitable[Look[T]]], *, within: float) -> T:
    """Look again and again until it is found; ScenarioError after *within* seconds."""
    end = time.monotonic() + within
    while True:
        last = await look()
        if last.found is not None:
            return last.found
        if time.monotonic() >= end:
            raise ScenarioError(f"{expected} within {within:.0f} s", last.seen)
        await asyncio.sleep(POLL_SECONDS)
