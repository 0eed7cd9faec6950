"""Attestations of machines: what Azure Policy is told under our `manual` policy."""

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from azure.core.exceptions import HttpResponseError

from shared.domain.attestation import AttestationRules, Statement
from shared.errors import AssignmentError, NotFoundError, NotReadyError
from shared.gateways.clients import AzureClients
from shared.gateways.errors import NO_ACCESS, code_and_message, translated
from shared.ports import Reception

if TYPE_CHECKING:
    from azure.mgmt.policyinsights.models import Attestation

_AT_ONCE = 4
"""Writes under way in one process. Each takes about a third of a second, and Resource Manager
refills the bucket of writes of a subscription with 10 a second
(https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling).
"""
_NOT_EVALUATED = "No compliance data was found"
"""In the message of a 400 `InvalidCreateAttestationRequest`: there is no state to be set yet
(https://github.com/Azure/azure-powershell, Attestation-Error-Handling in the tests of
Az.PolicyInsights)."""
_LOCKED = "ScopeLocked"
_ASSIGNMENTS_API = "2022-06-01"
_CHECK_SECONDS = 3600.0
"""How long a policy assignment that was found is taken to exist."""


class AttestationsGateway:
    """Implements `shared.ports.Attestations` with azure-mgmt-policyinsights."""

    def __init__(self, clients: AzureClients, rules: AttestationRules) -> None:
        self._clients = clients
        self._rules = rules
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._assignment_found_at: float | None = None

    async def put(self, resource_id: str, statement: Statement) -> Reception:
        """Attest a machine, in place of what was attested of it before."""
        reception = await self._put(resource_id, statement)
        if reception is Reception.NOT_NOW:
            await self._check_assignment()
        return reception

    async def _put(self, resource_id: str, statement: Statement) -> Reception:
        attestations = self._clients.policy_insights().attestations
        with translated(f"attest {resource_id}"):
            try:
                async with self._turns:
                    await attestations.begin_create_or_update_at_resource(
                        resource_id.removeprefix("/"),
                        statement.name,
                        self._body(statement),
                        polling=False,
                    )
            except HttpResponseError as error:
                reception = _reception_of(error)
                if reception is None:
                    raise
                return reception
        return Reception.TAKEN

    async def _check_assignment(self) -> None:
        """Find out whether the assignment exists: where it does not, no machine is evaluated.

        Where we may not read it, it is taken to exist. Raises AssignmentError when it does not.
        """
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - heavy

        found_at, now = self._assignment_found_at, time.monotonic()
        if found_at is not None and now - found_at < _CHECK_SECONDS:
            return
        assignment = self._rules.assignment_id
        request = HttpRequest("GET", assignment, params={"api-version": _ASSIGNMENTS_API})
        try:
            with translated(f"read the policy assignment {assignment}"):
                await self._clients.ask(request)
        except NotFoundError as error:
            raise AssignmentError(
                f"There is no policy assignment {assignment}, so verdicts cannot be attested; "
                "correct ASSAY_ATTESTATION_ASSIGNMENT, or leave it empty"
            ) from error
        except NotReadyError:
            pass  # without the right to read it nothing is known, and nothing is lost
        self._assignment_found_at = now

    def _body(self, statement: Statement) -> "Attestation":
        from azure.mgmt.policyinsights.models import (  # noqa: PLC0415 - heavy
            Attestation,
            AttestationEvidence,
            AttestationProperties,
        )

        return Attestation(
            properties=AttestationProperties(
                policy_assignment_id=self._rules.assignment_id,
                policy_definition_reference_id=self._rules.reference_id or None,
                compliance_state=statement.state,
                expires_on=statement.expires_at,
                comments=statement.comments,
                evidence=[
                    AttestationEvidence(description=link.description, source_uri=link.url)
                    for link in statement.evidence
                ],
                assessment_date=statement.assessed_at,
                metadata={"source": "assay"},
            )
        )


def _reception_of(error: HttpResponseError) -> Reception | None:
    """Return what a refusal means for the one machine; None where it is an error like any other.

    Raises AssignmentError when it is the assignment that is wrong: all our requests are alike but
    for the machine.
    """
    code, message = code_and_message(error)
    missing = error.status_code == HTTPStatus.NOT_FOUND
    if _NOT_EVALUATED in message or code == _LOCKED:
        return Reception.NOT_NOW
    if error.status_code == HTTPStatus.BAD_REQUEST or (missing and "policy" in code.lower()):
        raise AssignmentError(
            f"Azure Policy took no attestation and said {code}: {message[:500]}; check "
            "ASSAY_ATTESTATION_ASSIGNMENT and ASSAY_ATTESTATION_REFERENCE: they must name an "
            "assignment of a policy with the effect manual"
        ) from error
    return Reception.GONE if missing and code not in NO_ACCESS else None
