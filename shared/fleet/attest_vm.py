"""attest_vm: tell Azure Policy how VMs stand, and remember what it was told."""

import asyncio
from dataclasses import replace
from datetime import datetime
from itertools import batched

from shared.domain.attestation import (
    AttestationRules,
    Statement,
    needs_attesting,
    statement_for,
    told,
    untold,
)
from shared.domain.vm_record import Attestation, VmRecord
from shared.errors import RetryableError
from shared.fleet.register import AT_ONCE
from shared.messages import AttestVm, Message
from shared.ports import Attestations, Reception, Vms


async def attest_vm(
    command: AttestVm,
    *,
    vms: Vms,
    attestations: Attestations,
    attestation_rules: AttestationRules,
    now: datetime,
) -> list[Message]:
    """Attest those of the VMs that need it; whoever was told already costs one read.

    Every VM has its turn, whatever becomes of the others. Then an error that passes is raised
    before one that does not, so that the message comes back for those that were put off.
    """

    async def one(key: str) -> None:
        await _attest(key, vms, attestations, attestation_rules, now)

    errors: list[BaseException] = []
    for batch in batched(command.vm_keys, AT_ONCE, strict=False):
        ended = await asyncio.gather(*map(one, batch), return_exceptions=True)
        errors += [e for e in ended if e is not None]
    if errors:
        raise min(errors, key=_rank)
    return []


async def _attest(
    key: str, vms: Vms, attestations: Attestations, rules: AttestationRules, now: datetime
) -> None:
    """Attest one VM.

    What was said is written down after it was said: whoever dies between says it once more.
    """
    stored = await vms.get(key)
    record = stored.value.record
    if record is None or not needs_attesting(record, rules, now):
        return
    statement = statement_for(record, rules, now)
    if statement is None:
        return
    reception = await attestations.put(record.resource_id, statement)
    kept = _kept(reception, statement, record, now)
    if kept != record.attestation:
        entry = replace(stored.value, record=replace(record, attestation=kept))
        await vms.save(stored, entry)


def _kept(
    reception: Reception, statement: Statement, record: VmRecord, now: datetime
) -> Attestation | None:
    """Return what the record remembers now; of a VM that is gone an event will tell."""
    if reception is Reception.TAKEN:
        return told(statement, now)
    if reception is Reception.NOT_NOW:
        return untold(statement, record.attestation, now)
    return record.attestation


def _rank(error: BaseException) -> int:
    """Sort what the process dies of before what passes, and that before what does not."""
    if not isinstance(error, Exception):
        return 0
    return 1 if isinstance(error, RetryableError) else 2
