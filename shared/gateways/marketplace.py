"""Azure Marketplace VM images."""

from shared.domain.image_definition import MarketplaceSource
from shared.errors import NotFoundError
from shared.gateways.clients import AzureClients
from shared.gateways.errors import translated
from shared.settings import Settings


class MarketplaceGateway:
    """Lists the versions of Marketplace images in our region."""

    def __init__(self, clients: AzureClients, settings: Settings) -> None:
        self._clients = clients
        self._location = settings.location

    async def versions(self, source: MarketplaceSource) -> list[str]:
        """List every version of *source*, in Azure's order, which is that of text.

        Raises NotFoundError when publisher, offer or SKU does not exist, or is empty: Azure
        answers an unknown SKU with an empty list.
        """
        client = self._clients.compute()
        with translated(f"list the versions of {source.urn} in {self._location}"):
            images = await client.virtual_machine_images.list(
                self._location, source.publisher, source.offer, source.sku
            )
        if not images:
            raise NotFoundError(
                f"the Marketplace lists no version of {source.urn} in {self._location}; "
                "correct the source of the image definition"
            )
        return [image.name for image in images]
