"""Which handler answers a request: Azure's paths match whatever their case."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.events import ResourceChange
from localcloud.arm.ids import type_of
from localcloud.arm.store import Json

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_FIELD = re.compile(r"\{(\w+)(\+?)\}")
SUBSCRIPTION = "/subscriptions/{sub}"
GROUP = "/subscriptions/{sub}/resourceGroups/{rg}"


@dataclass(frozen=True)
class Reply:
    """What goes back: status, JSON body (None: no body at all) and headers."""

    status: int = HTTPStatus.OK
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """One operation of one provider, named as in Microsoft's specifications.

    `action` is the permission a change needs; reads have none, and raise no event.
    """

    name: str
    method: str
    path: str
    handler: "Callable[[Cloud, Call], Reply]"
    versions: frozenset[str]
    action: str = ""


@dataclass
class Call:
    """One request, already matched to its route."""

    route: Route
    path: str
    params: dict[str, str]
    query: dict[str, str]
    body: Json
    base_url: str
    correlation_id: str
    client_request_id: str = ""
    creates: bool = False
    operation_started: bool = False

    @property
    def sub(self) -> str:
        """The subscription id in the path."""
        return self.params.get("sub", "")

    @property
    def rg(self) -> str:
        """The resource group in the path."""
        return self.params.get("rg", "")

    @property
    def api_version(self) -> str:
        """The api-version asked for."""
        return self.query.get("api-version", "")

    def change(self, target: str) -> ResourceChange | None:
        """What this call changes, or None where it only reads."""
        if not self.route.action:
            return None
        return ResourceChange(
            target=target,
            action=self.route.action,
            method=self.route.method,
            url=f"https://management.azure.com{self.path}?api-version={self.api_version}",
            correlation_id=self.correlation_id,
            creates=self.creates,
            client_request_id=self.client_request_id,
        )

    @property
    def permission(self) -> str:
        """The permission this call needs, such as `Microsoft.Compute/virtualMachines/read`."""
        if self.route.action:
            return self.route.action
        return f"{type_of(self.path)}/read"

    def expands(self, name: str) -> bool:
        """True where `$expand` names this part."""
        return name.lower() in self.query.get("$expand", "").lower().split(",")


class Router:
    """The table of all routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(_pattern(route.path), route) for route in routes]

    def match(self, method: str, path: str, api_version: str) -> tuple[Route, dict[str, str]]:
        """The route and its path parameters; raises ArmError for what is not simulated."""
        found = [(route, m) for pattern, route in self._routes if (m := pattern.fullmatch(path))]
        if not found:
            raise _unknown_type(path, api_version)
        if not api_version:
            raise bad_request(
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        known = sorted({version for route, _ in found for version in route.versions})
        if api_version not in known:
            raise bad_request(
                "InvalidApiVersionParameter",
                f"The api-version '{api_version}' is invalid. "
                f"The supported versions are '{','.join(known)}'.",
            )
        for route, matched in found:
            if route.method == method and api_version in route.versions:
                return route, matched.groupdict()
        raise ArmError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            f"The simulated cloud has no {method} for '{path}' (it has: "
            f"{', '.join(sorted({route.method for route, _ in found}))}).",
        )


def _pattern(path: str) -> re.Pattern[str]:
    escaped = re.sub(r"([.$()])", r"\\\1", path)
    return re.compile(_FIELD.sub(_group, escaped), re.IGNORECASE)


def _group(found: re.Match[str]) -> str:
    return f"(?P<{found.group(1)}>{'.+' if found.group(2) else '[^/]+'})"


def _unknown_type(path: str, api_version: str) -> ArmError:
    _, _, tail = path.rpartition("/providers/")
    namespace, *rest = tail.split("/")
    kind = "/".join(rest[::2]) or path
    return ArmError(
        HTTPStatus.NOT_FOUND,
        "InvalidResourceType",
        f"The resource type '{kind}' could not be found in the namespace '{namespace}' for api "
        f"version '{api_version}' (not simulated: {path}).",
    )
