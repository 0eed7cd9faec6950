"""The wire to Table Storage, watched: the real transport, with something to happen at a write."""

from collections.abc import Awaitable, Callable
from typing import Any

from azure.core.pipeline.transport import AioHttpTransport


class DiedError(Exception):
    """The process ended here, as far as the register can tell."""


async def _nothing(_number: int) -> None:
    pass


class Wire(AioHttpTransport):  # type: ignore[misc]  # the SDK exports it lazily, untyped
    """Counts reads, and writes from 1 on; lets *before* and *after* act at each."""

    def __init__(self) -> None:
        super().__init__(use_env_settings=False)
        self.writes = 0
        self.reads = 0
        self.before: Callable[[int], Awaitable[None]] = _nothing
        self.after: Callable[[int], Awaitable[None]] = _nothing

    async def send(self, request: Any, **config: Any) -> Any:
        if request.method == "GET":
            self.reads += 1
            return await super().send(request, **config)
        self.writes += 1
        number = self.writes
        await self.before(number)
        response = await super().send(request, **config)
        await self.after(number)
        return response


def moments(writes: int) -> list[tuple[int, str]]:
    """Return every moment at which a process that makes *writes* may die: its write, and when.

    Right before a write the tables hold what they held right after the one before it.
    """
    return [(1, "before"), *((write, "after") for write in range(1, writes + 1))]


def dying_at(write: int) -> Callable[[int], Awaitable[None]]:
    """Die at the write of that number."""

    async def die(number: int) -> None:
        if number == write:
            raise DiedError

    return die
