"""Runs functions, writes their queue outputs, and counts what happened."""

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from azure.core.exceptions import AzureError

from localcloud.host.bindings import Binding, Function
from localcloud.host.metadata import net_text
from localcloud.host.protos import TypedData
from localcloud.host.storage import Queues
from localcloud.host.worker import Outcome, Worker

logger = logging.getLogger(__name__)


class Invoker:
    """Every invocation of every function passes here."""

    def __init__(self, worker: Worker, queues: Queues) -> None:
        self._worker = worker
        self._queues = queues
        self.invocations: Counter[str] = Counter()
        self.failures: defaultdict[str, list[str]] = defaultdict(list)
        self.in_flight: Counter[str] = Counter()

    async def invoke(
        self, function: Function, data: TypedData, metadata: dict[str, TypedData] | None = None
    ) -> Outcome:
        """Run a function and write its outputs; a failed output fails the invocation, as in Azure.

        Never raises for what the app does; the outcome's `error` says it.
        """
        self.invocations[function.name] += 1
        self.in_flight[function.name] += 1
        try:
            outcome = await self._worker.invoke(
                function.id, {function.trigger.name: data}, metadata or {}
            )
            if outcome.error is None:
                outcome = await self._write_outputs(function.outputs, outcome)
        finally:
            self.in_flight[function.name] -= 1
        if outcome.error is not None:
            self.failures[function.name].append(outcome.error)
            logger.error("%s failed: %s", function.name, outcome.error)
        return outcome

    async def _write_outputs(self, outputs: Sequence[Binding], outcome: Outcome) -> Outcome:
        for binding in outputs:
            data = (
                outcome.return_value
                if binding.name == "$return"
                else outcome.outputs.get(binding.name)
            )
            if binding.type != "queue" or data is None:
                continue
            try:
                for body in message_bodies(data):
                    await self._queues.put(binding.connection, binding.queue_name, body)
            except (AzureError, ValueError) as error:
                name = type(error).__name__
                return Outcome(error=f"{name}: output {binding.name} was not written: {error}")
        return outcome


def message_bodies(data: TypedData) -> list[str | bytes]:
    """The queue messages one output value becomes.

    Text that looks like JSON is parsed and written anew: one message per element of an array, an
    object indented. Malformed text that looks like JSON raises ValueError. (FunctionBinding.
    ReadAsEnumerable, https://github.com/Azure/azure-functions-host.)
    """
    if data.kind == "bytes":
        return [bytes(data.value)]
    if data.kind not in ("string", "json"):
        return [net_text(data.value)]
    text = str(data.value)
    value: Any = text
    if data.kind == "json" or _looks_like_json(text):
        value = json.loads(text)
    return [net_text(item) for item in (value if isinstance(value, list) else [value])]


def _looks_like_json(text: str) -> bool:
    bare = text.strip()
    return bare[:1] + bare[-1:] in ("{}", "[]")
