"""The Azure Resource Manager clients, made on first use and shared by every gateway."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.settings import Settings
from shared.settings.conversions import LOOPBACK

if TYPE_CHECKING:
    from azure.core import AsyncPipelineClient
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AioHttpTransport
    from azure.core.rest import HttpRequest
    from azure.mgmt.compute.aio import ComputeManagementClient
    from azure.mgmt.imagebuilder.aio import ImageBuilderClient
    from azure.mgmt.policyinsights.aio import PolicyInsightsClient
    from azure.mgmt.resourcegraph.aio import ResourceGraphClient

SCOPE = "https://management.azure.com/.default"
"""What tokens are asked for, whatever address Resource Manager is reached under."""

_CONNECT_SECONDS = 10
_READ_SECONDS = 30


def is_loopback(url: str) -> bool:
    """Tell whether *url* points at this machine: there, and only there, http will do."""
    return urlsplit(url).hostname in LOOPBACK


def credential(settings: Settings) -> "AsyncTokenCredential":
    """Return the managed identity Assay runs as; its owner closes it."""
    from azure.identity.aio import ManagedIdentityCredential  # noqa: PLC0415 - loads on first use

    if settings.identity_client_id:
        return ManagedIdentityCredential(client_id=settings.identity_client_id)
    return ManagedIdentityCredential()


class AzureClients:
    """Resource Manager clients that share one connection pool.

    *retries* is how often a call is sent again after a 5xx or a short Retry-After.
    """

    def __init__(
        self, settings: Settings, credential: "AsyncTokenCredential", *, retries: int = 3
    ) -> None:
        self._settings = settings
        self._credential = credential
        self._retries = retries
        self._transport: AioHttpTransport | None = None
        self._computes: dict[str, ComputeManagementClient] = {}
        self._image_builder: ImageBuilderClient | None = None
        self._policy_insights: PolicyInsightsClient | None = None
        self._plain: AsyncPipelineClient[Any, Any] | None = None
        self._resource_graph: ResourceGraphClient | None = None

    def compute(self, subscription_id: str = "") -> "ComputeManagementClient":
        """Return the compute client of a subscription; of our own when none is named."""
        from azure.mgmt.compute.aio import ComputeManagementClient  # noqa: PLC0415 - heavy

        subscription = (subscription_id or self._settings.subscription_id).lower()
        if subscription not in self._computes:
            self._computes[subscription] = ComputeManagementClient(
                self._credential, subscription, **self._options()
            )
        return self._computes[subscription]

    def image_builder(self) -> "ImageBuilderClient":
        """Return the Image Builder client of our own subscription."""
        from azure.mgmt.imagebuilder.aio import ImageBuilderClient  # noqa: PLC0415 - heavy

        if self._image_builder is None:
            self._image_builder = ImageBuilderClient(
                self._credential, self._settings.subscription_id, **self._options()
            )
        return self._image_builder

    def policy_insights(self) -> "PolicyInsightsClient":
        """Return the Policy Insights client, which asks about every subscription we may read."""
        from azure.mgmt.policyinsights.aio import PolicyInsightsClient  # noqa: PLC0415 - heavy

        if self._policy_insights is None:
            self._policy_insights = PolicyInsightsClient(
                self._credential, self._settings.subscription_id, **self._options()
            )
        return self._policy_insights

    def resource_graph(self) -> "ResourceGraphClient":
        """Return the Resource Graph client, which asks every subscription we may read."""
        from azure.mgmt.resourcegraph.aio import ResourceGraphClient  # noqa: PLC0415 - heavy

        if self._resource_graph is None:
            self._resource_graph = ResourceGraphClient(self._credential, **self._options())
        return self._resource_graph

    async def ask(self, request: "HttpRequest") -> Any:
        """Send a request to Resource Manager that no SDK of ours knows; return its JSON.

        Raises what the SDKs raise.
        """
        from azure.core import AsyncPipelineClient  # noqa: PLC0415 - heavy

        if self._plain is None:
            options = self._options()
            self._plain = AsyncPipelineClient(
                base_url=options["base_url"],
                transport=options["transport"],
                policies=options["policies"],
            )
        request.url = self._plain.format_url(request.url)
        response = await self._plain.send_request(request)
        response.raise_for_status()
        return response.json()

    async def close(self) -> None:
        """Close every connection; the credential stays open, it is not ours."""
        if self._transport is not None:
            await self._transport.close()
        self._transport = None
        self._computes.clear()
        self._image_builder = None
        self._policy_insights = None
        self._plain = None
        self._resource_graph = None

    def _options(self) -> dict[str, Any]:
        from azure.core.pipeline.transport import AioHttpTransport  # noqa: PLC0415 - heavy

        from shared.gateways.pipeline import pipeline  # noqa: PLC0415 - heavy

        if self._transport is None:
            self._transport = AioHttpTransport(
                connection_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS
            )
        endpoint = self._settings.arm_endpoint
        return {
            "base_url": endpoint,
            "credential_scopes": [SCOPE],
            "transport": self._transport,
            "policies": pipeline(
                self._credential, SCOPE, retries=self._retries, loopback=is_loopback(endpoint)
            ),
        }
