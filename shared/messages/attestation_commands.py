"""The message that has a verdict told to Azure Policy."""

from dataclasses import dataclass
from typing import ClassVar

from shared.messages.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestVm(Command):
    """Tell Azure Policy how the VMs under *vm_keys* stand, at most a page of them."""

    kind: ClassVar[str] = "attest_vm"
    vm_keys: tuple[str, ...]
