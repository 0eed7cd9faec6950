"""What differs in software between two image versions."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.domain.software import Package, SoftwareReport

type _Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is in either version; *old* or *new* is empty where it is missing.

    Several versions side by side are joined by a comma and a space.
    """

    kind: str
    """`deb`, `rpm`, `program`, `hotfix` or `system`."""
    name: str
    old: str = ""
    new: str = ""
    architecture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareDiff:
    """Everything that differs, each part by kind and name."""

    system: tuple[Change, ...] = ()
    added: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the two are the same."""
        return not (self.system or self.added or self.removed or self.changed)

    @property
    def summary(self) -> str:
        """One line for people."""
        if self.empty:
            return "no software changed"
        counts = f"{len(self.changed)} changed, {len(self.added)} added"
        return f"{counts}, {len(self.removed)} removed"

    def document(self) -> dict[str, Any]:
        """Return the diff as JSON shows it."""
        return {
            "summary": self.summary,
            "system": [_row(c) for c in self.system],
            "added": [_row(c) for c in self.added],
            "removed": [_row(c) for c in self.removed],
            "changed": [_row(c) for c in self.changed],
        }


def _row(change: Change) -> dict[str, str]:
    row = {"kind": change.kind, "name": change.name, "architecture": change.architecture}
    row |= {"old": change.old, "new": change.new}
    return {name: value for name, value in row.items() if value}


def compare(old: SoftwareReport, new: SoftwareReport) -> SoftwareDiff:
    """Return what differs from *old* to *new*.

    Packages are the same when kind, name and architecture are; their versions are compared as
    texts, so a step back shows like a step forward.
    """
    before, after = _versions(old), _versions(new)
    changes = [
        Change(
            kind=kind,
            name=name,
            architecture=architecture,
            old=before.get((kind, name, architecture), ""),
            new=after.get((kind, name, architecture), ""),
        )
        for kind, name, architecture in sorted(before.keys() | after.keys())
    ]
    return SoftwareDiff(
        system=tuple(_system(old.system, new.system)),
        added=tuple(c for c in changes if not c.old),
        removed=tuple(c for c in changes if not c.new),
        changed=tuple(c for c in changes if c.old and c.new and c.old != c.new),
    )


def _versions(report: SoftwareReport) -> dict[_Key, str]:
    versions: defaultdict[_Key, list[str]] = defaultdict(list)
    for package in report.packages:
        versions[_key(package)].append(package.version or "?")
    held = {key: ", ".join(sorted(found)) for key, found in versions.items()}
    return held | {("hotfix", h.id, ""): h.installed_on or "installed" for h in report.hotfixes}


def _key(package: Package) -> _Key:
    return (package.kind, package.name, package.architecture)


def _system(old: dict[str, str], new: dict[str, str]) -> Iterable[Change]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name, "") != new.get(name, ""):
            yield Change(kind="system", name=name, old=old.get(name, ""), new=new.get(name, ""))


def as_text(diff: SoftwareDiff, *, old: str, new: str) -> str:
    """Return *diff* for people: a line for each difference, columns aligned."""
    lines = [f"{old} -> {new}: {diff.summary}"]
    sections = (
        ("System", "~", diff.system),
        ("Changed", "~", diff.changed),
        ("Added", "+", diff.added),
        ("Removed", "-", diff.removed),
    )
    for title, sign, changes in sections:
        if not changes:
            continue
        width = max(len(_label(c)) for c in changes)
        lines += ["", title]
        lines += [f"  {sign} {_label(c):<{width}}  {_values(c)}" for c in changes]
    return "\n".join(lines) + "\n"


def _label(change: Change) -> str:
    return f"{change.name} ({change.architecture})" if change.architecture else change.name


def _values(change: Change) -> str:
    if change.old and change.new:
        return f"{change.old} -> {change.new}"
    return change.old or change.new
