"""The functions of an app and their bindings, checked against what this host can do."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.errors import FunctionsHostError
from localcloud.host.protos import RpcFunctionMetadata
from localcloud.host.settings import resolve

TRIGGERS = frozenset({"httpTrigger", "timerTrigger", "queueTrigger", "eventGridTrigger"})
OUTPUTS = frozenset({"http", "queue"})


@dataclass(frozen=True)
class Binding:
    """One trigger or output, its `%SETTING%` fields resolved."""

    type: str
    name: str
    fields: Mapping[str, Any]

    @property
    def connection(self) -> str:
        """The name of the setting with the storage connection."""
        return str(self.fields.get("connection") or "AzureWebJobsStorage")

    @property
    def queue_name(self) -> str:
        """The queue it reads from or writes to."""
        return str(self.fields["queueName"])


@dataclass(frozen=True)
class Function:
    """One function this host can run; `raw_bindings` is what the app declared."""

    name: str
    id: str
    trigger: Binding
    outputs: tuple[Binding, ...]
    raw_bindings: tuple[Mapping[str, Any], ...]


def read_functions(
    indexed: Iterable[RpcFunctionMetadata], settings: Mapping[str, str]
) -> list[Function]:
    """The indexed functions. FunctionsHostError lists everything this host cannot serve."""
    problems: list[str] = []
    functions = [_read(metadata, settings, problems) for metadata in indexed]
    names = [function.name.lower() for function in functions if function]
    problems += [f"{name}: two functions have this name" for name in _repeated(names)]
    if problems:
        raise FunctionsHostError("The host cannot run this app:\n- " + "\n- ".join(problems))
    return [function for function in functions if function]


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _read(
    metadata: RpcFunctionMetadata, settings: Mapping[str, str], problems: list[str]
) -> Function | None:
    raw = tuple(json.loads(text) for text in metadata.raw_bindings)
    found = [_problem(binding, settings) for binding in raw]
    if metadata.retry_options is not None:
        found.append("retry policies are not supported")
    triggers = [binding for binding in raw if binding["type"] in TRIGGERS]
    if not any(found) and len(triggers) != 1:
        found.append(f"it has {len(triggers)} triggers instead of one")
    problems += [f"{metadata.name}: {problem}" for problem in found if problem]
    if any(found):
        return None
    return Function(
        name=metadata.name,
        id=metadata.function_id,
        trigger=_binding(triggers[0], settings),
        outputs=tuple(_binding(item, settings) for item in raw if item["type"] in OUTPUTS),
        raw_bindings=raw,
    )


def _binding(raw: Mapping[str, Any], settings: Mapping[str, str]) -> Binding:
    fields = {key: _resolved(key, value, settings) for key, value in raw.items()}
    return Binding(raw["type"], raw["name"], fields)


def _resolved(key: str, value: Any, settings: Mapping[str, str]) -> Any:
    # `connection` is itself the name of a setting, never an expression.
    return resolve(value, settings) if isinstance(value, str) and key != "connection" else value


def _problem(raw: Mapping[str, Any], settings: Mapping[str, str]) -> str | None:
    kind, direction = raw["type"], str(raw.get("direction", "")).upper()
    if kind not in (OUTPUTS if direction == "OUT" else TRIGGERS):
        return f"binding type {kind} ({direction.lower()}, parameter {raw['name']}) is unknown"
    for key, value in raw.items():
        try:
            _resolved(key, value, settings)
        except KeyError as error:
            return f"{key} of binding {raw['name']} needs the app setting {error.args[0]}"
    if "queue" in kind:
        return _queue_problem(_binding(raw, settings), settings)
    return None


def _queue_problem(binding: Binding, settings: Mapping[str, str]) -> str | None:
    if "{" in binding.queue_name:
        return f"queue name {binding.queue_name} is a binding expression, which is not supported"
    if not settings.get(binding.connection):
        return f"binding {binding.name} needs the app setting {binding.connection}"
    return None
