"""Runs the app in a genuine Azure Functions Core Tools `func`, where the user has one."""

import asyncio
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from localcloud.errors import FunctionsHostError
from localcloud.host.idle import wait_until_idle
from localcloud.host.settings import resolve
from localcloud.host.storage import Queues
from localcloud.ports import ensure_free

VERSION_TIMEOUT_S = 10.0
# The first start downloads the extension bundle.
READY_TIMEOUT_S = 180.0
STOP_GRACE_S = 15.0

_VERSION = re.compile(r"4\.\d+\.\d+")


class FuncUnusableError(FunctionsHostError):
    """There is no Azure Functions Core Tools 4 here; the message says what there is instead."""


@dataclass(frozen=True)
class Func:
    """A genuine `func` and its version."""

    path: Path
    version: str


async def find_func(search_path: str | None = None, *, patience: float = VERSION_TIMEOUT_S) -> Func:
    """The `func` on PATH, if it is Core Tools 4. FuncUnusableError says why it is not.

    The command of Knative has the same name, and the npm package leaves a `func` script behind
    that downloads the tools when run; that script is recognised without running it. A program that
    does not say its version within `patience` seconds is refused too.
    """
    found = shutil.which("func", path=search_path)
    if found is None:
        raise FuncUnusableError("There is no func on PATH (Azure Functions Core Tools 4).")
    _refuse_npm_script(Path(found))
    version = await _version(found, patience)
    if _VERSION.match(version) is None:
        raise FuncUnusableError(
            f"{found} is not Azure Functions Core Tools 4: it says its version is {version[:80]!r}."
        )
    return Func(Path(found), version)


def _refuse_npm_script(found: Path) -> None:
    """The npm package starts `bin/func` from `lib/main.js`, and fetches it when it is missing."""
    script = found.resolve()
    if script.name != "main.js" or script.parent.name != "lib":
        return
    binaries = script.parent.parent / "bin"
    if not any((binaries / name).is_file() for name in ("func", "func.exe")):
        raise FuncUnusableError(
            f"{found} is the script of the npm package azure-functions-core-tools "
            f"without its program in {binaries}: reinstall the package."
        )


async def _version(command: str, patience: float) -> str:
    process = await asyncio.create_subprocess_exec(
        *(command, "--version"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(patience):
            output, _ = await process.communicate()
    except TimeoutError as error:
        raise FuncUnusableError(
            f"{command} --version gave no answer within {patience:g} s."
        ) from error
    finally:
        await _end(process, grace=0)
    return output.decode(errors="replace").strip()


class GenuineHost:
    """A `func start` of the app while entered; the same surface as FunctionsHost where it can be.

    `environ` is added to this process's environment; it wins over local.settings.json.
    """

    base_url: str

    def __init__(
        self,
        app_dir: Path,
        port: int = 0,
        *,
        storage: str | None = None,
        environ: Mapping[str, str] | None = None,
        func: Func | None = None,
        ready_timeout: float = READY_TIMEOUT_S,
    ) -> None:
        self._app_dir = app_dir
        self._port = port
        self._environ = {**os.environ, **(environ or {})}
        if storage is not None:
            self._environ["AzureWebJobsStorage"] = storage
        self._func = func
        self._ready_timeout = ready_timeout
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start func and wait until it runs the app.

        FuncUnusableError, PortTakenError, or FunctionsHostError with the end of its output.
        """
        func = self._func or await find_func()
        ensure_free(self._port, "port")
        port = self._port or _free_port()
        async with AsyncExitStack() as stack:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="func-"))
            log = Path(scratch) / "func.log"
            process = await self._start(func, port, log)
            stack.push_async_callback(_end, process, grace=STOP_GRACE_S)
            self.base_url = f"http://127.0.0.1:{port}"
            self._session = await stack.enter_async_context(aiohttp.ClientSession())
            await self._wait_until_running(process, log)
            self._queues = await stack.enter_async_context(Queues(self._environ, as_base64=False))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End func and the worker processes it started."""
        await self._stack.aclose()

    async def wait_idle(
        self,
        timeout: float,  # noqa: ASYNC109 - it also words the error
        *,
        delayed: bool = True,
    ) -> None:
        """Return when all queues the app listens to are empty; else NotIdleError.

        What func runs for a message counts, since the message stays until it is done; what it runs
        for HTTP, timers and events cannot be seen from here.
        """
        async with self._session.get(f"{self.base_url}/admin/functions") as response:
            response.raise_for_status()
            functions: list[dict[str, Any]] = await response.json()
        triggers = [
            binding
            for function in functions
            for binding in function["config"]["bindings"]
            if binding["type"] == "queueTrigger"
        ]
        clients = [
            self._queues.client(
                binding.get("connection") or "AzureWebJobsStorage",
                resolve(binding["queueName"], self._environ),
            )
            for binding in triggers
        ]
        await wait_until_idle(clients, timeout=timeout, state=lambda: (0, ""), delayed=delayed)

    async def _start(self, func: Func, port: int, log: Path) -> asyncio.subprocess.Process:
        with log.open("wb") as output:
            return await asyncio.create_subprocess_exec(
                *(str(func.path), "start", "--port", str(port)),
                cwd=self._app_dir,
                env=self._environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                # Its own group, so that the worker processes it starts can be ended with it.
                start_new_session=True,
            )

    async def _wait_until_running(self, process: asyncio.subprocess.Process, log: Path) -> None:
        try:
            async with asyncio.timeout(self._ready_timeout):
                while not await self._is_running():
                    if process.returncode is not None:
                        raise FunctionsHostError(
                            f"func ended with code {process.returncode} before the app ran: "
                            f"{await _tail(log)}"
                        )
                    await asyncio.sleep(0.2)
        except TimeoutError as error:
            raise FunctionsHostError(
                f"func did not run the app within {self._ready_timeout:g} s: {await _tail(log)}"
            ) from error

    async def _is_running(self) -> bool:
        try:
            async with self._session.get(f"{self.base_url}/admin/host/status") as response:
                return response.ok and (await response.json())["state"] == "Running"
        except aiohttp.ClientConnectionError:
            return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


async def _tail(log: Path) -> str:
    text = await asyncio.to_thread(log.read_text, errors="replace")
    return text[-2000:].strip()


async def _end(process: asyncio.subprocess.Process, *, grace: float) -> None:
    """End a process group that was started here; without mercy after `grace` seconds."""
    if process.returncode is None and grace:
        _signal(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                await process.wait()
        except TimeoutError:
            pass
    _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
