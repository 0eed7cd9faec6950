"""Clients for blob storage: our own account's, and others' by their endpoint."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.gateways.clients import is_loopback
from shared.settings import Storage

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobServiceClient

RETRIES = 2
"""How often a request is sent again after a 5xx or a broken connection."""
_OPTIONS: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 60}


def our_blobs(
    storage: Storage, credential: "AsyncTokenCredential", *, retries: int = RETRIES
) -> "BlobServiceClient | None":
    """Return a client of our storage account; None when there is no setting that names it."""
    from azure.storage.blob.aio import BlobServiceClient  # noqa: PLC0415 - heavy

    if storage.connection_string:
        return BlobServiceClient.from_connection_string(
            storage.connection_string, retry_total=retries, **_OPTIONS
        )
    return blobs_at(storage.blob_uri, credential, retries=retries) if storage.blob_uri else None


def blobs_at(
    endpoint: str, credential: "AsyncTokenCredential", *, retries: int = RETRIES
) -> "BlobServiceClient":
    """Return a client of the account at *endpoint*.

    A token never goes over plain http: an endpoint on this machine is asked without one.
    """
    from azure.storage.blob.aio import BlobServiceClient  # noqa: PLC0415 - heavy

    plain = urlsplit(endpoint).scheme == "http" and is_loopback(endpoint)
    return BlobServiceClient(
        endpoint, credential=None if plain else credential, retry_total=retries, **_OPTIONS
    )
