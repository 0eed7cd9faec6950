"""Every event Assay announces: its name, what it means, and the version of its data.

The JSON Schemas under docs/schemas/events are made from the models of `shared/event_data.py`. A
field may be added to a version; to remove, rename or narrow one is a new version, whose schema has
an address of its own.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import event_data as d
from shared.messages import Announcement


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One kind of event: `Assay.<name>`, its data in *version* of its schema."""

    name: str
    means: str
    data: type[d.EventData]
    version: int = 1
    tells_people: bool = False
    """Whether it goes to the chat channel too."""

    @property
    def urn(self) -> str:
        """The name of its schema, which never changes."""
        return f"urn:assay:events:{self.name}:v{self.version}"

    @property
    def schema_name(self) -> str:
        """File name of its schema."""
        return f"{self.name}.v{self.version}.json"

    def schema_text(self) -> str:
        """Return the JSON Schema of its data, as committed under docs/schemas/events.

        It is open to fields of later releases: subscribers validate what they know.
        """
        schema: dict[str, Any] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": self.urn,
            **self.data.model_json_schema(by_alias=True),
            "title": f"Assay.{self.name}",
            "description": self.means,
            "additionalProperties": True,
        }
        return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _told(name: str, data: type[d.EventData], means: str) -> EventType:
    return EventType(name=name, means=means, data=data, tells_people=True)


EVENT_TYPES: tuple[EventType, ...] = (
    EventType(
        name="SourceVersionPublished",
        means="the Marketplace has a version no build was made from; anyone may send it too",
        data=d.SourceVersionPublished,
    ),
    _told(
        "ImagePublished",
        d.BuildEnded,
        "an image version passed every check, is replicated everywhere and released",
    ),
    _told("ImageRejected", d.BuildEnded, "checks failed and no repair is left"),
    _told(
        "BuildFailed",
        d.BuildEnded,
        "no version could be made: configuration, access, or Azure failed too often",
    ),
    _told("BuildCancelled", d.BuildEnded, "a person ended a build"),
    _told(
        "DefinitionPaused",
        d.DefinitionPaused,
        "builds of a definition start no more by themselves: too many failed, or a person said so",
    ),
    _told(
        "DefinitionResumed",
        d.DefinitionResumed,
        "builds of a definition start by themselves again",
    ),
    _told("ImagePromoted", d.ChannelMoved, "a version entered a channel after its first"),
    _told(
        "ImageRolledBack",
        d.ChannelMoved,
        "a channel went back to an earlier version, by a person or because its own was revoked or "
        "lost",
    ),
    EventType(
        name="ImageAged",
        means="a newer version took the place of this one; it has an end of life now",
        data=d.ImageAged,
    ),
    _told("ImageRevoked", d.ImageRevoked, "a version must not be used any more"),
    _told("ImageRestored", d.ImageRestored, "the revocation of a version was undone"),
    _told("ImageRetiring", d.ImageRetiring, "a version is to be deleted from the gallery"),
    EventType(
        name="ImageRetired",
        means="a version was deleted from the gallery; the register keeps its row",
        data=d.ImageRetired,
    ),
    _told("GalleryNearLimit", d.GalleryNearLimit, "the gallery comes near a limit of Azure"),
    EventType(
        name="VmVerdictChanged",
        means="a VM's verdict changed",
        data=d.VmVerdictChanged,
    ),
    EventType(
        name="TattooMismatch",
        means="the tattoo in a VM that opted in is missing, or not what register and gallery say",
        data=d.TattooMismatch,
    ),
)
"""Every type, in the order of docs/events.md."""

EVENT_TYPE_BY_NAME: dict[str, EventType] = {t.name: t for t in EVENT_TYPES}


def check(announcement: Announcement) -> None:
    """Raise ValueError when *announcement* is of no listed type or its data does not fit it."""
    kind = EVENT_TYPE_BY_NAME.get(announcement.name)
    if kind is None:
        raise ValueError(f"Assay.{announcement.name} is not listed in shared/announcements.py")
    kind.data.model_validate(announcement.data)


def main(arguments: list[str]) -> int:
    """Write the schema of every event into the folder named; return 0."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for kind in EVENT_TYPES:
        (folder / kind.schema_name).write_text(kind.schema_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
