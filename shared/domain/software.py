"""The software report: what is installed in an image version."""

import json
from dataclasses import asdict, dataclass
from typing import Any

SCHEMA = 1
_MAX_FIELD = 256


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Package:
    """One installed package; several versions of one may be installed side by side (kernels)."""

    kind: str
    """Where it comes from: `deb`, `rpm`, or `program` for the installed programs of Windows."""
    name: str
    version: str
    architecture: str = ""
    publisher: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Hotfix:
    """One Windows update, for example KB5031364."""

    id: str
    installed_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareReport:
    """What one guest said of itself, in an order that depends on nothing but the content."""

    system: dict[str, str]
    """`id`, `version`, `name`, `kernel`, `build`, `architecture`: as far as the guest has them."""
    packages: tuple[Package, ...] = ()
    hotfixes: tuple[Hotfix, ...] = ()
    collected_at: str = ""
    """When the guest had listed it, ISO 8601; empty when Azure did not say."""

    def document(self) -> dict[str, Any]:
        """Return the report as it is stored and shown."""
        return {
            "schema": SCHEMA,
            "collected_at": self.collected_at or None,
            "system": dict(sorted(self.system.items())),
            "packages": [_filled(asdict(p)) for p in sorted(self.packages)],
            "hotfixes": [_filled(asdict(h)) for h in sorted(self.hotfixes)],
        }


def _filled(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}


def read_document(content: bytes) -> SoftwareReport:
    """Read a stored report; raises ValueError when it is none that this release knows."""
    try:
        held = json.loads(content)
        if held["schema"] != SCHEMA:
            raise ValueError(f"its schema is {held['schema']!r}, this release reads {SCHEMA}")
        return SoftwareReport(
            system=held["system"],
            packages=tuple(Package(**p) for p in held["packages"]),
            hotfixes=tuple(Hotfix(**h) for h in held["hotfixes"]),
            collected_at=held["collected_at"] or "",
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no software report ({error!r})") from error


def read_listing(text: str, *, collected_at: str = "") -> SoftwareReport:
    """Read what the guest's script lists: lines of a kind and its fields, between tabs.

    `system key value`, `deb name version architecture`, `rpm name version architecture`,
    `program name version publisher`, `hotfix id date`. Fields may be missing from the end.

    Raises ValueError for a line that is none of these, and for a listing without `system` lines.
    """
    system: dict[str, str] = {}
    packages: set[Package] = set()
    hotfixes: set[Hotfix] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        fields = [f.strip()[:_MAX_FIELD] for f in line.split("\t")]
        match fields:
            case ["system", key, value]:
                system[key] = value
            case [("deb" | "rpm") as kind, name, version, *rest] if name:
                packages.add(Package(kind=kind, name=name, version=version, **_rest(rest)))
            case ["program", name, version, *rest] if name:
                by = rest[0] if rest else ""
                packages.add(Package(kind="program", name=name, version=version, publisher=by))
            case ["hotfix", name, *rest] if name:
                hotfixes.add(Hotfix(id=name, installed_on=rest[0] if rest else ""))
            case [""]:
                continue
            case _:
                raise ValueError(f"line {number} of the listing is {line[:80]!r}")
    if not system:
        raise ValueError("the listing says nothing of the system")
    return SoftwareReport(
        system=system,
        packages=tuple(sorted(packages)),
        hotfixes=tuple(sorted(hotfixes)),
        collected_at=collected_at,
    )


def _rest(rest: list[str]) -> dict[str, str]:
    return {"architecture": rest[0]} if rest else {}
