"""The storage queues of an app: clients, encoding, and who is woken when a message is added."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from localcloud.errors import FunctionsHostError

type Wake = Callable[[], None]


def encode(body: str | bytes, *, as_base64: bool) -> str:
    """The text to store for a message body."""
    data = body.encode("utf-8") if isinstance(body, str) else body
    return base64.b64encode(data).decode("ascii") if as_base64 else data.decode("utf-8")


def decode(content: str, *, as_base64: bool) -> str | None:
    """The message body a stored text stands for; None when it is not the base64 it should be."""
    if not as_base64:
        return content
    try:
        data = base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data.decode("utf-8", errors="replace")


class Queues:
    """Queue clients by setting name and queue name, opened when first asked for."""

    def __init__(self, settings: Mapping[str, str], *, as_base64: bool) -> None:
        self._settings = settings
        self._as_base64 = as_base64
        self._services: dict[str, QueueServiceClient] = {}
        self._clients: dict[tuple[str, str], QueueClient] = {}
        self._wakes: dict[tuple[str, str], list[Wake]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all clients."""
        closers: list[Callable[[], Awaitable[None]]] = [
            *(client.close for client in self._clients.values()),
            *(service.close for service in self._services.values()),
        ]
        for close in closers:
            await close()

    def client(self, connection: str, name: str) -> QueueClient:
        """The client of one queue. FunctionsHostError when the connection string is unusable."""
        if (connection, name) not in self._clients:
            if connection not in self._services:
                self._services[connection] = self._open(connection)
            self._clients[connection, name] = self._services[connection].get_queue_client(name)
        return self._clients[connection, name]

    def _open(self, connection: str) -> QueueServiceClient:
        try:
            return QueueServiceClient.from_connection_string(self._settings[connection])
        except ValueError as error:
            raise FunctionsHostError(
                f"The app setting {connection} is not a storage connection string: {error}"
            ) from error

    def on_put(self, connection: str, name: str, wake: Wake) -> None:
        """Have `wake` called after each message this host itself adds to the queue."""
        self._wakes.setdefault((connection, name), []).append(wake)

    async def put(self, connection: str, name: str, body: str | bytes) -> None:
        """Add a message, creating the queue when there is none."""
        await self.put_raw(connection, name, encode(body, as_base64=self._as_base64))

    async def put_raw(self, connection: str, name: str, content: str) -> None:
        """Add a text just as it is, creating the queue when there is none."""
        client = self.client(connection, name)
        try:
            await client.send_message(content)
        except ResourceNotFoundError:
            await create(client)
            await client.send_message(content)
        for wake in self._wakes.get((connection, name), []):
            wake()


async def create(client: QueueClient) -> None:
    """Create the queue unless it exists."""
    try:
        await client.create_queue()
    except ResourceExistsError:
        return
