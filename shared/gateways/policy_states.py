"""Azure Policy's latest states of VMs, a page at a time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from azure.core.exceptions import HttpResponseError

from shared.domain.identifiers import normalise_id
from shared.domain.policy_subject import PolicySubject, subject_of
from shared.domain.vm_record import PolicyState
from shared.errors import RefusedError
from shared.gateways.clients import AzureClients
from shared.gateways.errors import found, translated
from shared.ports import PolicyPage, PolicyRow

if TYPE_CHECKING:
    from azure.mgmt.policyinsights.models import PolicyState as AzureState

_TYPES = (
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
    "Microsoft.GuestConfiguration/guestConfigurationAssignments",
)
_FILTER = " or ".join(f"resourceType eq '{kind}'" for kind in _TYPES)
_ORDER = "resourceId asc"


class PolicyStatesGateway:
    """Implements `shared.ports.PolicyStates` for every subscription our identity may read.

    The SDK follows `@odata.nextLink` with GET; the operation is a POST (PolicyStates_NextLink in
    policyStates.json, api-version 2024-10-01). So each page is asked for by the token in the link.
    """

    def __init__(self, clients: AzureClients) -> None:
        self._clients = clients

    async def page(self, subscription_id: str, skip_token: str = "") -> PolicyPage | None:
        """List a page of a subscription's states; None when Azure does not know *skip_token*.

        How Azure words that is not documented: any 400 counts that names a token, for without one
        the same question is answered.
        """
        states = self._clients.policy_insights().policy_states
        with translated(f"list the policy states of subscription {subscription_id}"):
            pages = states.list_query_results_for_subscription(
                subscription_id,
                "latest",
                order_by=_ORDER,
                filter=_FILTER,
                skip_token=skip_token or None,
            ).by_page()
            try:
                rows = [row async for row in await anext(pages)]
            except HttpResponseError as error:
                if skip_token and error.status_code == HTTPStatus.BAD_REQUEST:
                    return None
                raise
        return PolicyPage(
            rows=tuple(read for row in rows if (read := _row(row)) is not None),
            skip_token=_token(_link(pages)),
        )

    async def of(self, subject: PolicySubject) -> Sequence[PolicyState]:
        """List every state of one resource; none when it does not exist."""
        asked = _all_of(self._clients, subject.resource_id)
        rows = await found(asked, f"list the policy states of {subject.resource_id}") or []
        read = [row for row in map(_row, rows) if row is not None]
        # Azure may list what lies below a resource with it.
        return [
            row.state
            for row in read
            if (row.vm_id, row.state.about) == (subject.vm_id, subject.about)
        ]


async def _all_of(clients: AzureClients, resource_id: str) -> "list[AzureState]":
    states = clients.policy_insights().policy_states
    rows: list[AzureState] = []
    token = ""
    while True:
        pages = states.list_query_results_for_resource(
            "latest", resource_id.lstrip("/"), skip_token=token or None
        ).by_page()
        rows += [row async for row in await anext(pages)]
        token = _token(_link(pages))
        if not token:
            return rows


def _link(pages: AsyncIterator[Any]) -> str:
    """Return the address of the page after the one read last; empty at the end."""
    return str(getattr(pages, "continuation_token", None) or "")


def _token(link: str) -> str:
    if not link:
        return ""
    query = {name.lower(): value for name, value in parse_qsl(urlsplit(link).query)}
    token = query.get("$skiptoken", "")
    if not token:
        raise RefusedError(
            "Azure named a next page of policy states without a $skiptoken; upgrade Assay"
        )
    return token


def _row(row: "AzureState") -> PolicyRow | None:
    """Read one row; None when it is of no machine."""
    subject = subject_of(row.resource_id or "")
    if subject is None:
        return None
    if not (row.timestamp and row.policy_assignment_id and row.policy_definition_id):
        # To pass over it would be to take what it says for gone.
        raise RefusedError(
            f"Azure gave a policy state of {row.resource_id} without its time, assignment or "
            "definition; report it to Microsoft, and replay the message"
        )
    said: Mapping[str, Any] = row
    moment = row.timestamp
    return PolicyRow(
        vm_id=subject.vm_id,
        state=PolicyState(
            assignment_id=normalise_id(row.policy_assignment_id),
            definition_id=normalise_id(row.policy_definition_id),
            reference_id=(row.policy_definition_reference_id or "").lower(),
            state=(row.compliance_state or "unknown").lower(),
            timestamp=moment if moment.tzinfo else moment.replace(tzinfo=UTC),
            about=subject.about,
            # In answers, though not among the properties of the specification.
            reason_code=str(said.get("complianceReasonCode") or ""),
        ),
    )
