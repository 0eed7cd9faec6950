"""Faults with a name, for `--fault`: each is what the simulated cloud is told to get wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class NamedFault:
    """One thing that goes wrong; *simulator* is the fault as `/_sim/faults` takes it."""

    name: str
    means: str
    simulator: Mapping[str, Any] | None = None
    deliver_twice: bool = False
    """A fault of the Functions host instead: every queue message is delivered twice."""
    shuffle: bool = False
    """Another of the host: queue messages are handled in a random order."""


NAMED_FAULTS: tuple[NamedFault, ...] = (
    NamedFault(
        name="duplicate-events",
        means="Event Grid delivers every event twice.",
        simulator={"kind": "event", "effect": "duplicate"},
    ),
    NamedFault(
        name="shuffle-events",
        means="A third of all events arrives after the one that follows it.",
        simulator={"kind": "event", "effect": "reorder", "probability": 0.33},
    ),
    NamedFault(
        name="delay-events",
        means="A third of all events comes five simulated minutes late.",
        simulator={"kind": "event", "effect": "delay", "probability": 0.33, "delay_seconds": 300},
    ),
    NamedFault(
        name="deliver-twice",
        means="Every queue message is delivered a second time after it was done.",
        deliver_twice=True,
    ),
    NamedFault(
        name="shuffle-messages",
        means="Queue messages are handled in a random order, a third of them up to 0.5 s late.",
        shuffle=True,
    ),
    NamedFault(
        name="throttle",
        means="The next 15 requests about templates, images and checks are answered 429.",
        simulator={
            "kind": "http",
            "path": "/(imageTemplates|images|runCommands)/",
            "status": 429,
            "code": "TooManyRequests",
            "message": "The request is being throttled.",
            "retry_after": 1,
            "times": 15,
        },
    ),
    NamedFault(
        name="blind",
        means="The next 20 looks at an Image Builder template are answered 500.",
        simulator={
            "kind": "http",
            "method": "GET",
            "path": "/imageTemplates/[^/]+$",
            "status": 500,
            "code": "InternalServerError",
            "message": "Internal error occurred. This is a generic error.",
            "times": 20,
        },
    ),
    NamedFault(
        name="lost-answers",
        means="The next 5 writes are carried out, but the answer is a 504.",
        simulator={
            "kind": "http",
            "method": "PUT",
            "path": "^/subscriptions/.*/(imageTemplates|runCommands)/",
            "status": 504,
            "code": "GatewayTimeout",
            "message": "The gateway did not receive a response within the specified time period.",
            "commit": True,
            "times": 5,
        },
    ),
)

FAULT_BY_NAME = {fault.name: fault for fault in NAMED_FAULTS}
