"""The local Functions host: runs one function app like Azure does, in this process."""

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from localcloud.host import server
from localcloud.host.bindings import Function, read_functions
from localcloud.host.idle import State, wait_until_idle
from localcloud.host.invoker import Invoker
from localcloud.host.metadata import manual_metadata
from localcloud.host.protos import TypedData
from localcloud.host.queues import LEASE_S, POISON_SUFFIX, Delivery, QueueListener
from localcloud.host.settings import HostSettings, QueueSettings, read_host_json
from localcloud.host.storage import Queues
from localcloud.host.tasks import Tasks
from localcloud.host.timers import Timer
from localcloud.host.worker import Hook, Worker


@dataclass(frozen=True)
class HostOptions:
    """Dials of the host. Seconds throughout; the defaults behave like Azure.

    `packages`: the app's own top-level modules, imported afresh at every start.
    `before_stop`: awaited on the app's own loop before it ends, to close what the app opened.
    `deliver_twice`: deliver every queue message once more after it succeeded.
    `shuffle`: the seed of a random order in which queue messages are handled; None for their own.
    `lease`: for how long a message is hidden while its function runs (renewed at half-time).
    `max_polling_interval`: in place of the one in host.json, for all queues but poison queues:
    those are empty almost always, and looking at them costs as much as at any other.
    `run_timers`: false to fire timers only through the admin interface.
    `stop_grace`: how long invocations may go on after the host is asked to stop.
    """

    packages: tuple[str, ...] = ("function_app",)
    before_stop: Hook | None = None
    deliver_twice: bool = False
    shuffle: int | None = None
    lease: float = LEASE_S
    max_polling_interval: float | None = None
    run_timers: bool = True
    stop_grace: float = 10.0


class FunctionsHost:
    """Runs the app in `app_dir` while entered; the environment is the caller's to set beforehand.

    `storage` is the connection string of AzureWebJobsStorage; every other app setting, and this
    one when not given, comes from the environment.
    """

    base_url: str
    functions: list[Function]

    def __init__(
        self,
        app_dir: Path,
        port: int = 0,
        *,
        storage: str | None = None,
        options: HostOptions | None = None,
    ) -> None:
        self._app_dir = app_dir
        self._port = port
        self._storage = storage
        self._options = options or HostOptions()
        self._listeners: list[QueueListener] = []
        self._timers: list[Timer] = []
        self._stack = AsyncExitStack()

    @property
    def invocations(self) -> Counter[str]:
        """How often each function was begun."""
        return self._invoker.invocations

    @property
    def in_flight(self) -> Counter[str]:
        """How many invocations of each function are running."""
        return self._invoker.in_flight

    @property
    def failures(self) -> Mapping[str, list[str]]:
        """By function, the text of the exception of each failed invocation, with its trace."""
        return self._invoker.failures

    async def __aenter__(self) -> Self:
        """Load the app and serve it. FunctionsHostError or PortTakenError says why it cannot."""
        settings = read_host_json(self._app_dir)
        app_settings = dict(os.environ)
        if self._storage is not None:
            app_settings["AzureWebJobsStorage"] = self._storage
        async with AsyncExitStack() as stack:
            worker = await stack.enter_async_context(
                Worker(
                    self._app_dir,
                    packages=self._options.packages,
                    before_stop=self._options.before_stop,
                )
            )
            self.functions = read_functions(await worker.load(), app_settings)
            queues = await stack.enter_async_context(
                Queues(app_settings, as_base64=settings.queues.base64)
            )
            self._invoker = Invoker(worker, queues)
            await self._start(stack, settings, queues)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take nothing new, let invocations end, stop the app.

        Raises an ExceptionGroup of what went wrong inside the host itself, never of the app.
        """
        await self._stack.aclose()

    async def wait_idle(
        self,
        timeout: float,  # noqa: ASYNC109 - it also words the error
        *,
        delayed: bool = True,
    ) -> None:
        """Return when nothing runs and all queues listened to are empty; else NotIdleError.

        With `delayed` false, messages that only become visible later do not count.
        """
        await wait_until_idle(
            [listener.client for listener in self._listeners],
            timeout=timeout,
            state=self._state,
            delayed=delayed,
        )

    def pause(self) -> None:
        """Take no more queue messages, except from a request already under way."""
        for listener in self._listeners:
            listener.pause()

    def resume(self) -> None:
        """Take queue messages again."""
        for listener in self._listeners:
            listener.resume()

    def _queue_settings(self, function: Function, settings: HostSettings) -> QueueSettings:
        longest = self._options.max_polling_interval
        if longest is None or function.trigger.queue_name.endswith(POISON_SUFFIX):
            return settings.queues
        return replace(settings.queues, max_polling_interval=longest)

    async def _start(self, stack: AsyncExitStack, settings: HostSettings, queues: Queues) -> None:
        self._work, loops = Tasks(), Tasks()
        grace = self._options.stop_grace
        self._listeners = self._queue_listeners(queues, settings)
        self._timers = [
            Timer(function, invoker=self._invoker, tasks=self._work)
            for function in self.functions
            if function.trigger.type == "timerTrigger"
        ]
        site = server.Site(
            self.functions,
            prefix=settings.route_prefix,
            invoker=self._invoker,
            run_by_hand=self._run_by_hand,
        )
        for listener in self._listeners:
            await listener.prepare()
        stack.push_async_callback(self._work.finish, grace)
        stack.push_async_callback(loops.finish, grace)
        stack.callback(self._stop_listening)
        self.base_url = await stack.enter_async_context(
            server.serve(site.handle, self._port, grace=grace)
        )
        for listener in self._listeners:
            loops.start(listener.run())
        if self._options.run_timers:
            self._start_timers(stack)

    def _start_timers(self, stack: AsyncExitStack) -> None:
        clocks = Tasks()
        # Clocks never end by themselves.
        stack.push_async_callback(clocks.cancel)
        for timer in self._timers:
            if timer.run_on_startup:
                self._work.start(timer.fire())
            clocks.start(timer.run())

    def _queue_listeners(self, queues: Queues, settings: HostSettings) -> list[QueueListener]:
        delivery = Delivery(
            lease=self._options.lease,
            twice=self._options.deliver_twice,
            shuffle=self._options.shuffle,
        )
        return [
            QueueListener(
                function,
                queues=queues,
                invoker=self._invoker,
                tasks=self._work,
                settings=self._queue_settings(function, settings),
                delivery=delivery,
            )
            for function in self.functions
            if function.trigger.type == "queueTrigger"
        ]

    def _stop_listening(self) -> None:
        for listener in self._listeners:
            listener.stop()

    def _run_by_hand(self, function: Function, given: str) -> None:
        if function.trigger.type == "timerTrigger":
            (timer,) = (timer for timer in self._timers if timer.function is function)
            self._work.start(timer.fire())
        elif function.trigger.type == "queueTrigger":
            metadata = manual_metadata(given)
            self._work.start(self._invoker.invoke(function, TypedData(string=given), metadata))
        else:
            self._work.start(self._invoker.invoke(function, TypedData(json=given)))

    def _state(self) -> State:
        running = ", ".join(name for name, count in self._invoker.in_flight.items() if count)
        if not running and any(listener.receiving for listener in self._listeners):
            running = "a queue is being read"
        if not running and self._work.running:
            running = "a message is being settled"
        return self._invoker.invocations.total(), running
