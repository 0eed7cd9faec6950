"""What Azure Policy is told of a VM under a policy with the effect `manual`, and when it is told.

An attestation sets the state of one resource under one assignment until it expires; then the
definition's default state, `Unknown`, is back
(https://learn.microsoft.com/azure/governance/policy/concepts/attestation-structure).
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.identifiers import digest, normalise_id
from shared.domain.vm_record import Attestation, Machine, Verdict, VmRecord

COMPLIANT = "Compliant"
NON_COMPLIANT = "NonCompliant"
UNTOLD = "Unknown"
"""State of an `Attestation` that Azure Policy would not take yet: `untold` explains."""

_DAY = timedelta(days=1)
_RENEWED = 5
"""An attestation is renewed in the last fifth of its life."""
_FIRST_WAIT = timedelta(hours=1)
"""Azure Policy evaluates a new machine about 15 minutes after it was made
(https://learn.microsoft.com/azure/governance/policy/how-to/get-compliance-data)."""
_LONGEST_WAIT = 8 * _DAY
_ASSIGNMENT = "/providers/microsoft.authorization/policyassignments/"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationRules:
    """Under which assignment verdicts are attested, and for how long; off without one."""

    assignment_id: str = ""
    """Id of the assignment of the `manual` policy."""
    reference_id: str = ""
    """Which definition of an initiative; empty for an assignment of the policy alone."""
    life: timedelta = 180 * _DAY
    """How long an attestation holds."""
    public_url: str = ""
    """What links into the register start with."""

    @property
    def is_on(self) -> bool:
        """Whether anything is attested at all."""
        return bool(self.assignment_id)

    def is_ours(self, assignment_id: str, reference_id: str) -> bool:
        """Tell whether a policy state is one that our attestations set."""
        if not self.is_on or normalise_id(assignment_id) != normalise_id(self.assignment_id):
            return False
        return self.reference_id.lower() in ("", reference_id.lower())

    def reaches(self, resource_id: str) -> bool:
        """Tell whether the assignment may hold for a resource, as far as its own id tells.

        An assignment to a management group may hold for any.
        """
        scope = normalise_id(self.assignment_id).partition(_ASSIGNMENT)[0]
        inside = f"{normalise_id(resource_id)}/".startswith(f"{scope}/")
        return inside or not scope.startswith("/subscriptions/")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLink:
    """Where an auditor finds what an attestation rests on."""

    description: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One attestation as it is to be put to Azure Policy."""

    name: str
    """A GUID derived from machine and assignment: the same machine has one attestation."""
    state: str
    """`Compliant` or `NonCompliant`."""
    comments: str
    evidence: tuple[EvidenceLink, ...]
    assessed_at: datetime
    expires_at: datetime
    about: str
    """Digest of what makes it the same statement; see `statement_for`."""


def statement_for(record: VmRecord, rules: AttestationRules, now: datetime) -> Statement | None:
    """Return what is to be said of a machine now; None when nothing is.

    Nothing is said of what is gone, of the model of a scale set, and outside the assignment's
    scope. It is the same statement as long as verdict, image version and the day that matters are
    the same: a reason that only names a newer version to redeploy from is not said anew.
    """
    if record.deleted_at is not None or record.machine is Machine.SCALE_SET:
        return None
    if not rules.is_on or not rules.reaches(record.resource_id):
        return None
    state, expires_at = _state(record, rules, now)
    grace_ends = record.due_at if state == COMPLIANT else None
    return Statement(
        name=_name(record, rules),
        state=state,
        comments=f"{record.reason} (verdict: {record.verdict}, rule: {record.rule})",
        evidence=_evidence(record, rules),
        assessed_at=record.as_of,
        expires_at=expires_at,
        about=digest(
            normalise_id(rules.assignment_id),
            rules.reference_id.lower(),
            state,
            str(record.verdict),
            record.image.image_id,
            record.image.version,
            grace_ends.isoformat() if grace_ends else "",
        ),
    )


def needs_attesting(record: VmRecord, rules: AttestationRules, now: datetime) -> bool:
    """Tell whether Azure Policy does not yet know, or will soon forget, what is to be said.

    That is so after a change of the verdict, when the grace of an aged image has ended, in the last
    fifth of an attestation's life, and when Azure Policy could not be told and may be by now.
    """
    statement = statement_for(record, rules, now)
    if statement is None:
        return False
    said = record.attestation
    if said is None or said.about != statement.about:
        return True
    if said.state == UNTOLD:
        return said.expires_at <= now
    left, life = said.expires_at - now, said.expires_at - said.said_at
    return left < life / _RENEWED and statement.expires_at > said.expires_at


def told(statement: Statement, now: datetime) -> Attestation:
    """Return what is kept of a statement that Azure Policy took."""
    return Attestation(
        state=statement.state, said_at=now, expires_at=statement.expires_at, about=statement.about
    )


def untold(statement: Statement, before: Attestation | None, now: datetime) -> Attestation:
    """Return what is kept of a statement that cannot be made yet; `expires_at` is the next try.

    Azure Policy takes no attestation of a machine it has not evaluated under the assignment. That
    may be a matter of minutes, or for good where the machine is out of scope: each wait is twice
    the one before.
    """
    wait = _FIRST_WAIT
    if before is not None and before.state == UNTOLD:
        wait = min(2 * (before.expires_at - before.said_at), _LONGEST_WAIT)
    return Attestation(state=UNTOLD, said_at=now, expires_at=now + wait, about=statement.about)


def _state(record: VmRecord, rules: AttestationRules, now: datetime) -> tuple[str, datetime]:
    """Return the state and until when it holds: an aged image complies until its grace ends."""
    end = now + rules.life
    if record.verdict is Verdict.CURRENT:
        return COMPLIANT, end
    if record.verdict is Verdict.AGED and (record.due_at is None or record.due_at > now):
        return COMPLIANT, min(record.due_at or end, end)
    return NON_COMPLIANT, end


def _name(record: VmRecord, rules: AttestationRules) -> str:
    parts = (record.resource_id, normalise_id(rules.assignment_id), rules.reference_id.lower())
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(parts)))


def _evidence(record: VmRecord, rules: AttestationRules) -> tuple[EvidenceLink, ...]:
    api = f"{rules.public_url}/api/v1"
    links = [EvidenceLink(description="The VM in the register", url=f"{api}/vms/{record.key}")]
    if record.definition and record.image_published_at:
        version = record.image.version
        links.append(
            EvidenceLink(
                description=f"Version {version} of {record.definition}, with its evidence",
                url=f"{api}/images/{record.definition}/versions/{version}",
            )
        )
    return tuple(links)
