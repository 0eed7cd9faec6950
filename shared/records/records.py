"""Every record port over Table Storage, behind one client."""

from typing import Any

from azure.core.credentials_async import AsyncTokenCredential

from shared.records.audit import TableAudit
from shared.records.build_slots import TableBuildSlots
from shared.records.builds import TableBuilds
from shared.records.channels import TableChannels
from shared.records.definition_states import TableDefinitionStates
from shared.records.image_versions import TableImageVersions
from shared.records.parked import TableParked
from shared.records.receipts import TableReceipts
from shared.records.sources import TableSources
from shared.records.subscriptions import TableSubscriptions
from shared.records.sweeps import TableSweeps
from shared.records.tables import Tables
from shared.records.vms import TableVms
from shared.settings import Storage


class Records:
    """The register. *prefix* goes in front of table names; *options* to the SDK's client.

    *credential* is used unless *storage* has a connection string; who made it closes it.
    """

    def __init__(
        self,
        storage: Storage,
        credential: AsyncTokenCredential | None = None,
        *,
        prefix: str = "",
        **options: Any,
    ) -> None:
        self._tables = Tables(storage, credential, prefix=prefix, **options)
        self.builds = TableBuilds(self._tables)
        self.channels = TableChannels(self._tables)
        self.image_versions = TableImageVersions(self._tables)
        self.sources = TableSources(self._tables)
        self.definition_states = TableDefinitionStates(self._tables)
        self.build_slots = TableBuildSlots(self._tables)
        self.vms = TableVms(self._tables)
        self.subscriptions = TableSubscriptions(self._tables)
        self.sweeps = TableSweeps(self._tables)
        self.parked = TableParked(self._tables)
        self.audit = TableAudit(self._tables)
        self.receipts = TableReceipts(self._tables)

    async def ensure(self) -> None:
        """Create every table where it is missing; without it each is created on first use."""
        await self._tables.ensure()

    async def ping(self) -> None:
        """Read a row that need not exist; raises our errors when Table Storage does not answer."""
        await self._tables.table("Builds").get("ping", "ping")

    async def close(self) -> None:
        """Close the connections."""
        await self._tables.close()
