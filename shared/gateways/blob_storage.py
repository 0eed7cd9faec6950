"""Clients for blob storage: our own account's, and others' by their endpoint."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.gateways.clients import is_loopback
from shared.settings import Storage

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobServiceClient

_OPTIONS: dict[str, Any] = {"retry_total": 2, "connection_timeout": 10, "read_timeout": 60}


def our_blobs(storage: Storage, credential: "AsyncTokenCredential") -> "BlobServiceClient | None":
    """Return a client of our storage account; None when there is no setting that names it."""
    from azure.storage.blob.aio import BlobServiceClient  # noqa: PLC0415 - heavy

    if storage.connection_string:
        return BlobServiceClient.from_connection_string(storage.connection_string, **_OPTIONS)
    return blobs_at(storage.blob_uri, credential) if storage.blob_uri else None


def blobs_at(endpoint: str, credential: "AsyncTokenCredential") -> "BlobServiceClient":
    """Return a client of the account at *endpoint*.

    A token never goes over plain http: an endpoint on this machine is asked without one.
    """
    from azure.storage.blob.aio import BlobServiceClient  # noqa: PLC0415 - heavy

    plain = urlsplit(endpoint).scheme == "http" and is_loopback(endpoint)
    return BlobServiceClient(endpoint, credential=None if plain else credential, **_OPTIONS)
