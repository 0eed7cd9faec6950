"""The events Azure emits: what is in them, and in which of the two schemas they travel."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from localcloud.arm.ids import group_of, seven_digits, subscription_of
from localcloud.arm.store import Json

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_VERBS = {"PUT": "Write", "PATCH": "Write", "DELETE": "Delete", "POST": "Action"}
_OUTCOMES = {"Succeeded": "Success", "Failed": "Failure", "Canceled": "Cancel"}
APP_ID = "00000000-0000-4000-8000-00000000a99d"
TENANT_ID = "00000000-0000-4000-8000-0000000007e4"


@dataclass(frozen=True)
class Event:
    """One event, before it is put into a schema.

    `stream` is where it comes from: "resources", "policy" or "topic". `original` is the event
    as a publisher wrote it, which a custom topic passes on unchanged.
    """

    stream: str
    source: str
    subject: str
    type: str
    id: str
    time: str
    data: Json
    data_version: str
    original: Json = field(default_factory=dict)

    def as_event_grid(self) -> Json:
        """The Event Grid schema (Azure docs: "Azure Event Grid event schema")."""
        return self.original or {
            "id": self.id,
            "topic": self.source,
            "subject": self.subject,
            "data": self.data,
            "eventType": self.type,
            "eventTime": self.time,
            "dataVersion": self.data_version,
            "metadataVersion": "1",
        }

    def as_cloud_event(self) -> Json:
        """CloudEvents 1.0."""
        return self.original or {
            "id": self.id,
            "source": self.source,
            "specversion": "1.0",
            "type": self.type,
            "subject": self.subject,
            "time": self.time,
            "data": self.data,
        }


@dataclass(frozen=True)
class ResourceChange:
    """A change a client asked for; it becomes an event when it has ended."""

    target: str
    action: str
    method: str
    url: str
    correlation_id: str
    creates: bool
    client_request_id: str = ""


def change_event(cloud: "Cloud", change: ResourceChange, status: str) -> Event:
    """The Microsoft.Resources event for a change that ended as `status`."""
    name = f"Microsoft.Resources.Resource{_VERBS[change.method]}{_OUTCOMES[status]}"
    data: Json = {
        "authorization": {
            "scope": change.target,
            "action": change.action,
            "evidence": {"role": "Contributor", "principalType": "ServicePrincipal"},
        },
        "claims": {"appid": APP_ID, "ver": "1.0"},
        "correlationId": change.correlation_id,
        "resourceProvider": change.action.split("/", 1)[0],
        "resourceUri": change.target,
        "operationName": change.action,
        "status": status,
        "subscriptionId": subscription_of(change.target),
        "tenantId": TENANT_ID,
    }
    # Azure docs, "Azure subscription as an Event Grid source": only for an update or a deletion.
    if not change.creates:
        data["httpRequest"] = {
            "clientRequestId": change.client_request_id or change.correlation_id,
            "clientIpAddress": "127.0.0.1",
            "method": change.method,
            "url": change.url,
        }
    return _resource_event(cloud, name, change.target, data)


def noise_event(cloud: "Cloud", change: ResourceChange) -> Event:
    """The event of the deployment that Azure reports besides each creation."""
    target = (
        f"/subscriptions/{subscription_of(change.target)}/resourceGroups/"
        f"{group_of(change.target)}/providers/Microsoft.Resources/deployments/"
        f"deploy-{change.correlation_id[:8]}"
    )
    action = "Microsoft.Resources/deployments/write"
    noise = ResourceChange(target, action, "PUT", "", change.correlation_id, creates=True)
    return change_event(cloud, noise, "Succeeded")


def policy_event(cloud: "Cloud", kind: str, row: Json) -> Event:
    """A Microsoft.PolicyInsights event; `kind` is Created, Changed or Deleted."""
    wanted = (
        "timestamp",
        "policyAssignmentId",
        "policyDefinitionId",
        "policyDefinitionReferenceId",
        "complianceState",
        "subscriptionId",
        "complianceReasonCode",
    )
    return Event(
        stream="policy",
        source=f"/subscriptions/{row['subscriptionId']}",
        subject=row["resourceId"],
        type=f"Microsoft.PolicyInsights.PolicyState{kind}",
        # One id per state, whatever happens to it, as in Microsoft's own samples.
        id=row["stateId"],
        time=seven_digits(cloud.clock.now()),
        data={key: row[key] for key in wanted},
        data_version="1",
    )


def _resource_event(cloud: "Cloud", name: str, target: str, data: Json) -> Event:
    now: datetime = cloud.clock.now()
    return Event(
        stream="resources",
        source=f"/subscriptions/{subscription_of(target)}",
        subject=target,
        type=name,
        id=cloud.guids.next(),
        time=seven_digits(now),
        data=data,
        data_version="2",
    )
