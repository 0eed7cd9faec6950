"""Matches HTTP requests to functions by the route templates of Azure Functions (ASP.NET's)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from localcloud.errors import FunctionsHostError
from localcloud.host.bindings import Function

# "Route constraint reference", ASP.NET Core documentation.
_CONSTRAINTS = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "alpha": r"[A-Za-z]+",
    "bool": r"(?:true|false)",
    "guid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}
_PARAMETER = re.compile(r"\{(?P<many>\*{1,2})?(?P<name>\w+)(?::(?P<kind>\w+))?(?P<optional>\?)?\}$")


@dataclass(frozen=True)
class Route:
    """One template; more exact ones have the smaller rank and are tried first."""

    function: Function
    methods: frozenset[str]
    pattern: re.Pattern[str]
    rank: tuple[int, ...]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The route values when the request is for this function; an absent optional is left out.

        `path` is the raw path; a slash written as %2F stays that way, as in ASP.NET.
        """
        found = self.pattern.fullmatch(path.strip("/"))
        if found is None or (self.methods and method.upper() not in self.methods):
            return None
        return {
            name: unquote(re.sub("%2[fF]", "%252F", value))
            for name, value in found.groupdict().items()
            if value
        }


def build_routes(functions: Iterable[Function], prefix: str) -> list[Route]:
    """The routes of all HTTP functions, in the order to try them."""
    routes = [
        _route(function, prefix) for function in functions if function.trigger.type == "httpTrigger"
    ]
    return sorted(routes, key=lambda route: route.rank)


def _route(function: Function, prefix: str) -> Route:
    fields = function.trigger.fields
    template = str(fields.get("route") or function.name).strip("/")
    pattern, rank = "", []
    for segment in f"{prefix}/{template}".strip("/").split("/"):
        piece, weight = _segment(segment, function.name)
        # An optional segment is absent together with the slash before it.
        pattern += piece if pattern else piece.replace("/", "", 1)
        rank.append(weight)
    methods = frozenset(str(method).upper() for method in fields.get("methods") or ())
    return Route(function, methods, re.compile(pattern, re.IGNORECASE), tuple(rank))


def _segment(segment: str, function: str) -> tuple[str, int]:
    """The pattern of one segment, slash first, and its weight: literal 0 … catch-all 4."""
    if "{" not in segment:
        return "/" + re.escape(segment), 0
    found = _PARAMETER.match(segment)
    if found is None or (found["kind"] and found["kind"] not in _CONSTRAINTS):
        raise FunctionsHostError(f"{function}: route segment {segment} is not supported.")
    name = found["name"]
    if found["many"]:
        return f"(?:/(?P<{name}>.*))?", 4
    value = f"/(?P<{name}>{_CONSTRAINTS.get(found['kind'] or '', '[^/]+')})"
    if found["optional"]:
        return f"(?:{value})?", 3
    return value, 1 if found["kind"] else 2
