"""What Azure Policy means when it speaks of a VM: the VM itself, or a setting of its guest."""

import re
from dataclasses import dataclass

from shared.domain.identifiers import normalise_id

_GUEST = "/providers/microsoft.guestconfiguration/guestconfigurationassignments/"
"""A guest configuration assignment is a resource of its own below the VM
(guestconfiguration.json, api-version 2024-04-05)."""

_SUBJECT = re.compile(
    r"^(?P<vm>/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.compute"
    r"/(?:virtualmachines|virtualmachinescalesets/[^/]+/virtualmachines)/[^/]+)"
    rf"(?:{re.escape(_GUEST)}(?P<about>[^/]+))?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySubject:
    """Which VM, and which guest configuration assignment of it."""

    vm_id: str
    """Normalised."""
    about: str = ""
    """Name of the guest configuration assignment, in lower case; empty for the VM itself."""

    @property
    def resource_id(self) -> str:
        """Id of the resource Azure Policy evaluated, normalised."""
        return f"{self.vm_id}{_GUEST}{self.about}" if self.about else self.vm_id


def subject_of(resource_id: str) -> PolicySubject | None:
    """Return whom a policy state of *resource_id* is about; None when it is no machine's."""
    match = _SUBJECT.match(normalise_id(resource_id))
    return PolicySubject(vm_id=match["vm"], about=match["about"] or "") if match else None
