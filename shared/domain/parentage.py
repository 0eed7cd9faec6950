"""Parentage: which version of another golden image one was built from, and the chain's root."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RootSource:
    """The Marketplace image at the root of a chain of golden images, exactly."""

    publisher: str
    offer: str
    sku: str
    version: str

    @property
    def urn(self) -> str:
        """`publisher:offer:sku` in lower case, as a Marketplace source is keyed everywhere."""
        return f"{self.publisher}:{self.offer}:{self.sku}".lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentVersion:
    """The version of another golden image that one was built from."""

    definition: str
    version: str
    image_id: str
    """Normalised id of the parent's gallery image definition."""
    root: RootSource
    """The Marketplace image the parent itself goes back to."""

    @property
    def resource_id(self) -> str:
        """Normalised id of the parent's gallery image version."""
        return f"{self.image_id}/versions/{self.version}"
