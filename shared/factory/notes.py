"""What people are told of an event: a title, a sentence and a few facts, as plain text."""

from collections.abc import Mapping
from typing import Any

from shared.ports import Note

_TITLES = {
    "ImagePublished": "{definition} {version} is published",
    "ImageRejected": "{definition} {version} was rejected",
    "BuildFailed": "The build of {definition} failed",
    "BuildCancelled": "The build of {definition} was cancelled",
    "DefinitionPaused": "Builds of {definition} are paused",
    "DefinitionResumed": "Builds of {definition} go on",
    "ImagePromoted": "{definition} {channel} shows {version}",
    "ImageRolledBack": "{definition} {channel} went back to {version}",
    "ImageRevoked": "{definition} {version} is revoked: use it no more",
    "ImageRestored": "{definition} {version} may be used again",
    "ImageRetiring": "{definition} {version} is going to be deleted",
    "GalleryNearLimit": "The gallery comes near a limit: {count} of {limit} {what}",
}
"""By the event's name; the fields are those of its data."""

_LABELS = {
    "source": "Built from",
    "sourceVersion": "Source version",
    "attempts": "Attempts",
    "repairs": "Repairs",
    "failedChecks": "Failed checks",
    "before": "Before",
    "latest": "Latest",
    "vms": "VMs that run it",
    "teams": "Teams",
    "deleteAfter": "Deleted after",
    "by": "By",
    "build": "Build",
    "version": "Version",
    "at": "When",
}
"""Which fields of the data are shown as facts, under which label, in this order."""


class _Known(dict[str, Any]):
    """The data of an event, with a question mark for what it lacks."""

    def __missing__(self, key: str) -> str:
        return "?"


def note_of(event: str, subject: str, data: Mapping[str, Any]) -> Note:
    """Return what people are told of an event, which may come from an older or newer release."""
    known = _Known({k: v for k, v in data.items() if v not in (None, "", [])})
    title = _TITLES[event].format_map(known) if event in _TITLES else f"{event}: {subject}"
    facts = [(label, _text(known[name])) for name, label in _LABELS.items() if name in known]
    return Note(
        title=title,
        text=_text(known.get("reason", "")),
        facts=tuple(facts),
        path=_path(event, subject, known),
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _path(event: str, subject: str, data: Mapping[str, Any]) -> str:
    """Return the page to read on, relative to the API: the build, the version, or the subject."""
    if event in ("ImageRejected", "BuildFailed", "BuildCancelled") and "build" in data:
        return f"builds/{data['build']}"
    if "definition" in data and "version" in data:
        return f"images/{data['definition']}/versions/{data['version']}"
    return subject
