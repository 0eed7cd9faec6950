"""Azurite, the storage emulator, as an async context manager: blobs, queues and tables for real."""

import asyncio
import re
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from localcloud import nodejs
from localcloud.errors import AzuriteError
from localcloud.ports import ensure_free

START_TIMEOUT_S = 60.0
STOP_GRACE_S = 5.0

# The emulator's public, fixed account: "Use the Azurite emulator", Microsoft Learn.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at http://[^:]+:(\d+)")


@dataclass(frozen=True)
class AzuritePorts:
    """One port per service on 127.0.0.1; 0 lets the operating system choose."""

    blob: int = 0
    queue: int = 0
    table: int = 0


def connection_string(ports: AzuritePorts) -> str:
    """The storage connection string of an Azurite on these ports."""
    endpoints = "".join(
        f"{service}Endpoint=http://127.0.0.1:{port}/{ACCOUNT};"
        for service, port in (("Blob", ports.blob), ("Queue", ports.queue), ("Table", ports.table))
    )
    key = f"AccountKey={ACCOUNT_KEY};"
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};{key}{endpoints}"


class Azurite:
    """A running Azurite; everything it stores is gone when it stops, unless data_dir is given.

    `port_setting` is how the user names a port in the caller's interface; `{service}` stands for
    blob, queue or table. It is used in the message about a taken port.
    """

    def __init__(
        self,
        ports: AzuritePorts | None = None,
        *,
        data_dir: Path | None = None,
        port_setting: str = "{service}_port",
    ) -> None:
        self._wanted = ports or AzuritePorts()
        self._data_dir = data_dir
        self._port_setting = port_setting
        self._ports: AzuritePorts | None = None
        self._stack = AsyncExitStack()

    @property
    def ports(self) -> AzuritePorts:
        """The ports it listens on; AzuriteError before it has started."""
        if self._ports is None:
            raise AzuriteError("Azurite is not running.")
        return self._ports

    @property
    def connection_string(self) -> str:
        """What storage clients connect with; AzuriteError before it has started."""
        return connection_string(self.ports)

    async def __aenter__(self) -> Self:
        """Start and wait until all three services listen.

        Raises PortTakenError, NodeMissingError or AzuriteError.
        """
        for service in ("blob", "queue", "table"):
            port = getattr(self._wanted, service)
            ensure_free(port, self._port_setting.format(service=service))
        node = nodejs.find_node()
        modules = await nodejs.ensure_installed(node)
        async with AsyncExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="azurite-")))
            log = scratch / "azurite.log"
            process = await self._start(node, modules, scratch, log)
            stack.push_async_callback(_stop, process)
            self._ports = await _wait_until_listening(process, log)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it and wait until its process has gone."""
        self._ports = None
        await self._stack.aclose()

    async def _start(
        self, node: nodejs.Node, modules: Path, scratch: Path, log: Path
    ) -> asyncio.subprocess.Process:
        flags = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        for service in ("blob", "queue", "table"):
            flags += [f"--{service}Host", "127.0.0.1"]
            flags += [f"--{service}Port", str(getattr(self._wanted, service))]
        # Azurite refuses --location together with --inMemoryPersistence.
        where = ["--location", str(self._data_dir)] if self._data_dir else ["--inMemoryPersistence"]
        # A file, not a pipe: nobody has to keep reading it for Azurite to keep running.
        with log.open("wb") as output:
            return await asyncio.create_subprocess_exec(
                *(str(node.executable), str(nodejs.azurite_script(modules)), *flags, *where),
                cwd=scratch,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
            )


async def _wait_until_listening(process: asyncio.subprocess.Process, log: Path) -> AzuritePorts:
    """Follow the log until the three services have said where they listen."""
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while True:
                text = await asyncio.to_thread(log.read_text, errors="replace")
                found = {service.lower(): int(port) for service, port in _LISTENING.findall(text)}
                if found.keys() == {"blob", "queue", "table"}:
                    return AzuritePorts(**found)
                if process.returncode is not None:
                    raise AzuriteError(
                        f"Azurite ended with code {process.returncode} "
                        f"before it was ready: {text[-2000:].strip()}"
                    )
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise AzuriteError(f"Azurite was not ready within {START_TIMEOUT_S:.0f} s.") from error


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_GRACE_S):
            await process.wait()
    except TimeoutError:
        # It waits for open connections; whoever stops it has no more use for them.
        process.kill()
        await process.wait()
