"""Background work whose failures are kept and raised, never lost."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger(__name__)


class Tasks:
    """A set of running tasks. Unlike a TaskGroup it outlives a failure of one of them."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._failures: list[Exception] = []

    @property
    def running(self) -> int:
        """How many tasks have not ended."""
        return len(self._running)

    def start[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run it in the background."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            logger.error("A task of the Functions host failed", exc_info=error)
            self._failures.append(error)

    async def cancel(self) -> None:
        """Cancel all tasks, then raise what failed."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        if self._failures:
            failures, self._failures = self._failures, []
            raise ExceptionGroup("The Functions host had failures of its own", failures)

    async def finish(self, grace: float) -> None:
        """Wait up to `grace` seconds for all tasks, cancel those left, raise what failed."""
        if self._running:
            await asyncio.wait(self._running, timeout=grace)
        if self._running:
            logger.warning("%d tasks were cut off after %g s", len(self._running), grace)
        await self.cancel()
