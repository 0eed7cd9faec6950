"""The attestations of our `manual` policy."""

from enum import StrEnum
from typing import Protocol

from shared.domain.attestation import Statement


class Reception(StrEnum):
    """What became of a statement."""

    TAKEN = "taken"
    NOT_NOW = "not-now"
    """Azure Policy has not evaluated the machine under the assignment, or the machine is locked."""
    GONE = "gone"
    """The machine does not exist any more."""
    HELD_BACK = "held-back"
    """It was not sent: the set-up is known to be wrong, and a person was told."""


class Attestations(Protocol):
    """Attestations of machines, under the assignment the settings name."""

    async def put(self, resource_id: str, statement: Statement) -> Reception:
        """Attest a machine, in place of what was attested of it before.

        Raises NotReadyError when the right is missing, AssignmentError when the assignment is
        missing or is none of a `manual` policy.
        """
