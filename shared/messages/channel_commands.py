"""The messages on published versions: channels, revocation, retirement, the gallery."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messages.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteImage(Command):
    """Bring the channels of *definition* one look further."""

    kind: ClassVar[str] = "promote_image"
    definition: str
    turn: int | None = None
    """The turn it was sent for; None looks when no other look is due. See `ImageChannels`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveChannel(Command):
    """Move *channel* to *image_version* as a person asks, or else back to the one before."""

    kind: ClassVar[str] = "move_channel"
    definition: str
    channel: str
    by: str
    """Object id of who asks, or `function-key`."""
    because: str
    request: str
    """Token of the request; the same one never moves the channel twice."""
    image_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveImage(Command):
    """Keep a person's word that *image_version* may enter *channel*."""

    kind: ClassVar[str] = "approve_image"
    definition: str
    channel: str
    image_version: str
    by: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeVersion(Command):
    """Let *image_version* be used no more, now or *at* a time."""

    kind: ClassVar[str] = "revoke_version"
    definition: str
    image_version: str
    by: str
    because: str
    request: str
    at: datetime | None = None
    inherit: bool = True
    """Whether versions built from it are revoked too."""
    force: bool = False
    """Whether it is done even where no good version is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreVersion(Command):
    """Undo the revocation of *image_version*, and of versions revoked because of it."""

    kind: ClassVar[str] = "restore_version"
    definition: str
    image_version: str
    by: str
    because: str
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireVersion(Command):
    """Announce that *image_version* is to be deleted as a person asks; it goes after the notice."""

    kind: ClassVar[str] = "retire_version"
    definition: str
    image_version: str
    by: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireImages(Command):
    """Announce or delete the versions of *definition* whose time has come."""

    kind: ClassVar[str] = "retire_images"
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchGallery(Command):
    """Say so when the gallery comes near a limit of Azure."""

    kind: ClassVar[str] = "watch_gallery"
