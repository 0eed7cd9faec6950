"""A log of what was asked and answered, in the form Microsoft's traffic validator reads."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEPT = 20_000  # exchanges; the oldest go first


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; the Authorization header is never kept."""

    operation: str
    method: str
    url: str
    request_headers: dict[str, str]
    request_body: Any
    status: int
    response_headers: dict[str, str]
    response_body: Any

    def as_payload(self) -> dict[str, Any]:
        """The payload of `oav validate-traffic`."""
        request: dict[str, Any] = {
            "headers": self.request_headers,
            "method": self.method,
            "url": self.url,
        }
        if self.request_body is not None:
            request["body"] = self.request_body
        response: dict[str, Any] = {
            "statusCode": str(self.status),
            "headers": self.response_headers,
        }
        if self.response_body is not None:
            response["body"] = self.response_body
        return {"liveRequest": request, "liveResponse": response}


class TrafficLog:
    """The latest exchanges, oldest first."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=_KEPT)

    def add(self, exchange: Exchange) -> None:
        """Keep one exchange."""
        self._exchanges.append(exchange)

    def clear(self) -> None:
        """Forget all."""
        self._exchanges.clear()

    def __iter__(self) -> Iterator[Exchange]:
        return iter(list(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def dump(self, folder: Path) -> int:
        """Write one JSON file per exchange into `folder`; returns how many."""
        folder.mkdir(parents=True, exist_ok=True)
        for index, exchange in enumerate(self._exchanges):
            path = folder / f"{index:06d}-{exchange.operation or 'refused'}.json"
            path.write_text(json.dumps(exchange.as_payload(), indent=1), encoding="utf-8")
        return len(self._exchanges)
