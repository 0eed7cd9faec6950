"""The tenant: its subscriptions, the management groups above them, and what may be read."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from localcloud.arm.errors import SimulatorStateError
from localcloud.arm.events import TENANT_ID
from localcloud.arm.store import Json

SUBSCRIPTION_TYPE = "microsoft.resources/subscriptions"


class ManagementGroup(BaseModel):
    """One management group above a subscription."""

    model_config = ConfigDict(extra="forbid")

    name: str
    display_name: str = ""

    def shown(self) -> Json:
        """How Resource Graph shows it in a chain of ancestors."""
        return {"displayName": self.display_name or self.name, "name": self.name}


ROOT = ManagementGroup(name=TENANT_ID, display_name="Tenant Root Group")


class Tenant:
    """All subscriptions; each is readable, and below the root group only, until told otherwise."""

    def __init__(self, subscriptions: Iterable[str]) -> None:
        self._ids = {each.lower(): each for each in subscriptions}
        self._hidden: set[str] = set()
        self._chains: dict[str, tuple[ManagementGroup, ...]] = {}

    def knows(self, subscription: str) -> bool:
        """True for a subscription of this tenant, readable or not."""
        return subscription.lower() in self._ids

    def may_read(self, subscription: str) -> bool:
        """True for a subscription of this tenant that the caller has a right to."""
        return self.knows(subscription) and subscription.lower() not in self._hidden

    def readable(self) -> list[str]:
        """The subscriptions the caller has a right to."""
        return [name for key, name in self._ids.items() if key not in self._hidden]

    def hide(self, subscription: str) -> None:
        """Take away every right to a subscription."""
        self._hidden.add(self._require(subscription))

    def show(self, subscription: str) -> None:
        """Give the rights back."""
        self._hidden.discard(self._require(subscription))

    def place(self, subscription: str, groups: Iterable[ManagementGroup]) -> None:
        """Put a subscription below management groups, the nearest first; the root is the last."""
        self._chains[self._require(subscription)] = tuple(groups)

    def listing(self) -> list[Json]:
        """All subscriptions, hidden ones too."""
        return [
            {
                "subscription": name,
                "hidden": key in self._hidden,
                "management_groups": [group.model_dump() for group in self._chain(key)],
            }
            for key, name in self._ids.items()
        ]

    def containers(self) -> list[Json]:
        """The rows of Resource Graph's ResourceContainers."""
        return [self._row(name) for name in self._ids.values()]

    def _row(self, name: str) -> Json:
        return {
            "id": f"/subscriptions/{name}",
            "name": f"Subscription {name[-4:]}",
            "type": SUBSCRIPTION_TYPE,
            "tenantId": TENANT_ID,
            "location": "",
            "resourceGroup": "",
            "subscriptionId": name,
            "tags": {},
            "properties": {
                "managedByTenants": [],
                "managementGroupAncestorsChain": [group.shown() for group in self._chain(name)],
                "state": "Enabled",
                "subscriptionPolicies": {
                    "locationPlacementId": "Public_2014-09-01",
                    "quotaId": "EnterpriseAgreement_2014-09-01",
                    "spendingLimit": "Off",
                },
            },
        }

    def _chain(self, name: str) -> tuple[ManagementGroup, ...]:
        return self._chains.get(name.lower(), (ROOT,))

    def _require(self, subscription: str) -> str:
        if not self.knows(subscription):
            raise SimulatorStateError(f"There is no subscription '{subscription}' in the tenant.")
        return subscription.lower()
