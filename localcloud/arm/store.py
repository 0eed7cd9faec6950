"""Every resource the simulated cloud holds, found by id whatever its case."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

type Json = dict[str, Any]


@dataclass
class Resource:
    """A resource as its provider shows it (`body`) and what is known of it besides (`facts`)."""

    id: str
    type: str
    body: Json
    facts: Json = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name at the end of the id."""
        return self.id.rsplit("/", 1)[-1]

    @property
    def properties(self) -> Json:
        """The `properties` object of the body."""
        found: Json = self.body.setdefault("properties", {})
        return found


class Store:
    """Resources by lower-cased type and id; order is the order of creation."""

    def __init__(self) -> None:
        self._by_type: dict[str, dict[str, Resource]] = {}
        self._types: dict[str, str] = {}

    def put(self, resource: Resource) -> Resource:
        """Add or replace a resource."""
        key = resource.id.lower()
        self._types[key] = resource.type.lower()
        self._by_type.setdefault(resource.type.lower(), {})[key] = resource
        return resource

    def get(self, resource_id: str) -> Resource | None:
        """The resource with this id, or None."""
        key = resource_id.lower()
        kind = self._types.get(key)
        return self._by_type[kind].get(key) if kind is not None else None

    def delete(self, resource_id: str) -> None:
        """Remove a resource and everything below it; unknown ids are fine."""
        key = resource_id.lower()
        for each in [k for k in self._types if k == key or k.startswith(key + "/")]:
            del self._by_type[self._types.pop(each)][each]

    def of_type(self, resource_type: str, under: str = "") -> Iterator[Resource]:
        """Resources of one type whose id begins with `under`."""
        prefix = under.lower().rstrip("/") + "/" if under else ""
        rows = list(self._by_type.get(resource_type.lower(), {}).items())
        return (resource for key, resource in rows if key.startswith(prefix))

    def counts(self) -> dict[str, int]:
        """How many resources there are of each type."""
        return {kind: len(rows) for kind, rows in sorted(self._by_type.items()) if rows}
