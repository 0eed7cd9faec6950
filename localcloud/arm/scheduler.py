"""What will happen later in the simulated cloud, in order of its due time."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

from localcloud.arm.clock import Clock

type Action = Callable[[], None]


class Scheduler:
    """A queue of future changes; they run on the event loop, never in parallel."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[datetime, int, Action]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def after(self, wait: timedelta, action: Action) -> None:
        """Run `action` once `wait` of simulated time has passed."""
        heapq.heappush(self._heap, (self._clock.now() + wait, next(self._order), action))
        self._changed.set()

    def run_due(self) -> None:
        """Run everything whose time has come, including what that brings about at once."""
        while self._heap and self._heap[0][0] <= self._clock.now():
            heapq.heappop(self._heap)[2]()

    def advance(self, step: timedelta) -> None:
        """Let `step` of simulated time pass, stopping at each due moment on the way."""
        target = self._clock.now() + step
        self.run_due()
        while self._heap and self._heap[0][0] <= target:
            self._clock.jump(max(timedelta(0), self._heap[0][0] - self._clock.now()))
            self.run_due()
        self._clock.jump(max(timedelta(0), target - self._clock.now()))
        self._changed.set()

    @property
    def waiting(self) -> int:
        """How many changes are still to come."""
        return len(self._heap)

    def clear(self) -> None:
        """Forget everything that was to happen."""
        self._heap.clear()

    async def run(self) -> None:
        """Run changes as real time brings them due, until cancelled."""
        while True:
            self._changed.clear()
            self.run_due()
            wait = self._clock.real_seconds_until(self._heap[0][0]) if self._heap else None
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue
