"""A Marketplace in memory."""

from shared.domain.image_definition import MarketplaceSource
from shared.errors import NotFoundError
from tests.fakes.dial import Dial


class FakeMarketplace(Dial):
    """Versions by URN; a URN that is not listed does not exist."""

    def __init__(self, versions: dict[str, list[str]] | None = None) -> None:
        super().__init__()
        self.listed = versions or {}

    async def versions(self, source: MarketplaceSource) -> list[str]:
        self._call("versions")
        if source.urn not in self.listed:
            raise NotFoundError(
                f"the Marketplace has no image {source.urn}; correct the definition"
            )
        return list(self.listed[source.urn])
