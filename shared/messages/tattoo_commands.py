"""The message that has the tattoo in a guest read."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messages.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTattoo(Command):
    """Bring the reading of the tattoo in the guest of a VM one look further."""

    kind: ClassVar[str] = "read_tattoo"
    vm_key: str
    started_at: datetime
    """When the reading was found to be due; one made since then is as good."""
    looks: int = 0
    """How often its run command was looked at before."""
