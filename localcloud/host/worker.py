"""Runs a function app through the real Python worker library, on a loop and thread of its own.

The thread of its own keeps the host answering while an `async def` of the app blocks, as the
separate worker process does in Azure.
"""

import asyncio
import importlib
import sys
import threading
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import azure_functions_runtime as runtime

from localcloud.errors import FunctionsHostError
from localcloud.host import protos

STOP_TIMEOUT_S = 30.0

type Hook = Callable[[], Awaitable[None]]

_in_use = threading.Lock()


@dataclass(frozen=True)
class Outcome:
    """What one invocation came to; `error` is the exception's text, None on success."""

    error: str | None = None
    return_value: protos.TypedData | None = None
    outputs: dict[str, protos.TypedData] = field(default_factory=dict)


class Worker:
    """One function app, loaded into this process; the library allows one at a time.

    `packages` are the app's own top-level modules: they are imported afresh at every start.
    `before_stop` is awaited on the worker's loop before it ends, so that the app may close
    connections it opened there.
    """

    def __init__(
        self, app_dir: Path, *, packages: Iterable[str], before_stop: Hook | None = None
    ) -> None:
        self._app_dir = str(app_dir.resolve())
        self._packages = frozenset(packages) | {"function_app"}
        self._before_stop = before_stop
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="functions-worker", daemon=True)

    async def __aenter__(self) -> Self:
        """Start the thread. FunctionsHostError when this process runs an app already."""
        if not _in_use.acquire(blocking=False):
            self._loop.close()
            raise FunctionsHostError("Another Functions host is running in this process already.")
        self._thread.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cancel what still runs, close the loop and end the thread.

        FunctionsHostError when a function that blocks its thread has not ended in time.
        """
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._call(self._wind_down())
        except TimeoutError as late:
            raise FunctionsHostError(
                f"A function still blocks its thread {STOP_TIMEOUT_S:g} s after it was to stop."
            ) from late
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            await asyncio.to_thread(self._thread.join, STOP_TIMEOUT_S)
            if self._app_dir in sys.path:
                sys.path.remove(self._app_dir)
            _in_use.release()

    async def load(self) -> list[protos.RpcFunctionMetadata]:
        """Import and index the app; its functions. FunctionsHostError when it does not load."""
        return await self._call(self._load())

    async def invoke(
        self,
        function_id: str,
        inputs: dict[str, protos.TypedData],
        metadata: dict[str, protos.TypedData],
    ) -> Outcome:
        """Run one function once. What the app raises becomes the outcome's error."""
        return await self._call(_invoke(function_id, inputs, metadata))

    async def _call[T](self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    async def _load(self) -> list[protos.RpcFunctionMetadata]:
        for name in [name for name in sys.modules if name.split(".")[0] in self._packages]:
            del sys.modules[name]
        importlib.invalidate_caches()
        # The library imports `function_app` by name and leaves the path to its host.
        sys.path.insert(0, self._app_dir)
        runtime.start_threadpool_executor()
        started = await runtime.worker_init_request(
            _request(
                "worker_init_request",
                SimpleNamespace(capabilities={}, function_app_directory=self._app_dir),
                host="127.0.0.1",
                protos=protos,
            )
        )
        if started.result.status != protos.StatusResult.Success:
            cause = started.result.exception
            raise FunctionsHostError(
                f"The app in {self._app_dir} does not load: {cause.message}\n{cause.stack_trace}"
            )
        answer = await runtime.functions_metadata_request(
            _request("functions_metadata_request", SimpleNamespace())
        )
        if answer.function_metadata_results is None:
            raise FunctionsHostError(f"There is no function_app.py in {self._app_dir}.")
        return list(answer.function_metadata_results)

    async def _wind_down(self) -> None:
        pending = asyncio.all_tasks() - {asyncio.current_task()}
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        try:
            if self._before_stop is not None:
                await self._before_stop()
        finally:
            await self._loop.shutdown_asyncgens()
            # Waits for synchronous functions, which cannot be cancelled.
            await asyncio.to_thread(runtime.stop_threadpool_executor)
            await self._loop.shutdown_default_executor()


def _request(kind: str, content: object, **properties: object) -> SimpleNamespace:
    return SimpleNamespace(
        name=kind, request=SimpleNamespace(**{kind: content}), properties=properties
    )


async def _invoke(
    function_id: str, inputs: dict[str, protos.TypedData], metadata: dict[str, protos.TypedData]
) -> Outcome:
    # W3C trace context: version, trace id, parent id, flags (https://www.w3.org/TR/trace-context/).
    trace_parent = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
    content = SimpleNamespace(
        invocation_id=str(uuid.uuid4()),
        function_id=function_id,
        input_data=[protos.ParameterBinding(name, data) for name, data in inputs.items()],
        trigger_metadata=metadata,
        trace_context=SimpleNamespace(trace_parent=trace_parent, trace_state="", attributes={}),
        retry_context=SimpleNamespace(
            retry_count=0, max_retry_count=0, exception=protos.RpcException()
        ),
    )
    try:
        answer = await runtime.invocation_request(_request("invocation_request", content))
    except SystemExit as error:
        # In Azure this ends the worker process and with it the invocation.
        return Outcome(error=f"SystemExit: the function ended its process ({error})")
    if answer.result.status != protos.StatusResult.Success:
        cause = answer.result.exception
        return Outcome(error=f"{cause.message}\n{cause.stack_trace}")
    outputs = {item.name: item.data for item in answer.output_data if item.data is not None}
    return Outcome(return_value=answer.return_value, outputs=outputs)
