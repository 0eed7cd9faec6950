"""Plain-Python stand-in for the messages that the Functions worker library exchanges with a host.

The library builds its answers from whatever object it is given as `protos`, so no protobuf is
needed. Names and numbers are those of FunctionRpc.proto
(https://github.com/Azure/azure-functions-language-worker-protobuf). Like protobuf, every text is
checked to be text that UTF-8 can carry: a lone surrogate fails here as it would in Azure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import Any, ClassVar


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected str in a host message, got {type(value).__name__}")
    value.encode("utf-8")
    return value


def _texts(values: Mapping[str, str] | None) -> dict[str, str]:
    return {_text(key): _text(value) for key, value in (values or {}).items()}


class TypedData:
    """One value and its kind: string, json, bytes, int, double or http."""

    KINDS: ClassVar = frozenset({"string", "json", "bytes", "int", "double", "http"})

    def __init__(self, **value: Any) -> None:
        if len(value) != 1 or not value.keys() <= self.KINDS:
            raise TypeError(f"TypedData takes exactly one of {sorted(self.KINDS)}, got {value!r}")
        ((self.kind, content),) = value.items()
        if self.kind in ("string", "json"):
            content = _text(content)
        setattr(self, self.kind, content)

    @property
    def value(self) -> Any:
        """The value, whatever its kind."""
        return getattr(self, self.kind)

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        """The kind of the value."""
        return self.kind


@dataclass
class ParameterBinding:
    """A value for one parameter of a function."""

    name: str
    data: TypedData | None = None

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """`data` when there is a value."""
        return None if self.data is None else "data"


@dataclass
class NullableString:
    """A text that may be absent."""

    value: str


@dataclass
class NullableBool:
    """A truth value that may be absent."""

    value: bool


@dataclass
class NullableDouble:
    """A number that may be absent."""

    value: float


@dataclass
class Timestamp:
    """Seconds since 1970, UTC."""

    seconds: int


@dataclass
class NullableTimestamp:
    """A moment that may be absent."""

    value: Timestamp


class RpcHttpCookie:
    """One Set-Cookie of an HTTP answer."""

    SameSite = IntEnum("SameSite", {"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})

    def __init__(self, *, name: str, value: str, **attributes: Any) -> None:
        self.name = _text(name)
        self.value = _text(value)
        self.attributes = attributes


class RpcHttp:
    """An HTTP request, or the answer to one."""

    def __init__(
        self,
        *,
        method: str = "",
        url: str = "",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: TypedData | None = None,
        status_code: str = "",
        cookies: list[RpcHttpCookie] | None = None,
        enable_content_negotiation: bool = False,
    ) -> None:
        self.method, self.url, self.status_code = _text(method), _text(url), _text(status_code)
        self.headers, self.params, self.query = _texts(headers), _texts(params), _texts(query)
        self.body = body or TypedData(bytes=b"")
        self.cookies = cookies or []
        self.enable_content_negotiation = enable_content_negotiation


@dataclass
class RpcException:
    """Why something failed."""

    message: str = ""
    stack_trace: str = ""
    source: str = ""


class StatusResult:
    """Whether a request to the worker succeeded."""

    Failure = 0
    Success = 1
    Cancelled = 2

    def __init__(self, status: int = Failure, exception: RpcException | None = None) -> None:
        self.status = status
        self.exception = exception


@dataclass
class WorkerMetadata:
    """What the worker says about itself."""

    runtime_name: str
    runtime_version: str
    worker_version: str
    worker_bitness: str
    custom_properties: dict[str, str]


@dataclass
class WorkerInitResponse:
    """The answer to initialisation, which includes indexing the app."""

    capabilities: dict[str, str]
    worker_metadata: WorkerMetadata
    result: StatusResult


@dataclass
class BindingInfo:
    """One binding as the worker sees it."""

    undefined: ClassVar = 0
    out: ClassVar = 1
    inout: ClassVar = 2

    type: str
    data_type: int | None
    direction: int


@dataclass
class RpcRetryOptions:
    """A function's retry policy."""

    max_retry_count: int
    retry_strategy: str
    delay_interval: timedelta | None = None
    minimum_interval: timedelta | None = None
    maximum_interval: timedelta | None = None


@dataclass
class RpcFunctionMetadata:
    """One indexed function."""

    name: str
    function_id: str
    directory: str
    script_file: str
    entry_point: str
    language: str
    bindings: dict[str, BindingInfo]
    raw_bindings: list[str]
    properties: dict[str, str]
    retry_options: RpcRetryOptions | None = None
    managed_dependency_enabled: bool = False
    is_proxy: bool = False


@dataclass
class FunctionMetadataResponse:
    """All indexed functions."""

    use_default_metadata_indexing: bool
    function_metadata_results: list[RpcFunctionMetadata] | None
    result: StatusResult


@dataclass
class InvocationResponse:
    """The outcome of one invocation."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: list[ParameterBinding] = field(default_factory=list)
