"""Waits until nothing is left to do: queues empty, nothing running."""

import asyncio
from collections.abc import Callable, Iterable

from azure.storage.queue.aio import QueueClient

from localcloud.errors import LocalCloudError

LOOK_EVERY_S = 0.05

type State = tuple[int, str]


class NotIdleError(LocalCloudError):
    """There was still something to do when the time was up."""


async def wait_until_idle(
    clients: Iterable[QueueClient],
    *,
    timeout: float,  # noqa: ASYNC109 - it also words the error
    state: Callable[[], State],
    delayed: bool,
) -> None:
    """Return once all queues are empty and nothing runs; NotIdleError after `timeout` seconds.

    `state` gives the number of invocations begun so far and what is running (empty for nothing).
    With `delayed` false, messages that are not yet visible do not count.
    """
    clients = list(clients)
    seen = "work goes on"
    try:
        async with asyncio.timeout(timeout):
            while True:
                begun, left = state()
                if not left:
                    left = await _waiting(clients, delayed=delayed)
                    # What was begun while we looked may have filled a queue we had already seen.
                    if not left and state() == (begun, ""):
                        return
                seen = left or seen
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError as error:
        raise NotIdleError(f"Not idle after {timeout:g} s: {seen}.") from error


async def _waiting(clients: list[QueueClient], *, delayed: bool) -> str:
    counts = await asyncio.gather(*(_count(client, delayed=delayed) for client in clients))
    return ", ".join(
        f"{client.queue_name} holds {count}"
        for client, count in zip(clients, counts, strict=True)
        if count
    )


async def _count(client: QueueClient, *, delayed: bool) -> int:
    if delayed:
        # Counts hidden messages too, in Azure as in Azurite.
        return (await client.get_queue_properties()).approximate_message_count or 0
    return len(await client.peek_messages(max_messages=32))
