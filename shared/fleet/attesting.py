"""Which VMs are to be attested: the messages that see to it, in pages."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched

from shared.domain.attestation import AttestationRules, needs_attesting
from shared.domain.vm_record import VmRecord
from shared.messages import AttestVm, Message

PAGE = 100
"""VMs in one message: about 7 KB of keys."""


def attesting(
    records: Iterable[VmRecord], attestation_rules: AttestationRules, now: datetime
) -> list[Message]:
    """Return what has those of *records* attested that need it."""
    keys = [r.key for r in records if needs_attesting(r, attestation_rules, now)]
    return _pages(keys)


def joined(said: Iterable[Sequence[Message]]) -> list[Message]:
    """Return the messages of many VMs, the attesting of all of them in pages at the end."""
    messages = [message for some in said for message in some]
    others = [m for m in messages if not isinstance(m, AttestVm)]
    keys = (key for m in messages if isinstance(m, AttestVm) for key in m.vm_keys)
    return others + _pages(dict.fromkeys(keys))


def _pages(keys: Iterable[str]) -> list[Message]:
    return [AttestVm(vm_keys=some) for some in batched(keys, PAGE, strict=False)]
