"""Image Builder's logs: found in the storage account of the staging group, copied to ours.

Deleting a template deletes its staging resource group, and so the only copy of the logs
(https://learn.microsoft.com/azure/virtual-machines/linux/image-builder-troubleshoot).
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from shared.errors import NotFoundError, RefusedError
from shared.gateways.blob_storage import blobs_at, our_blobs
from shared.gateways.clients import AzureClients
from shared.gateways.errors import translated
from shared.ports import CopiedLogs
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import (
        BlobServiceClient,
        ContainerClient,
        StorageStreamDownloader,
    )

SOURCE_CONTAINER = "packerlogs"
"""Where Image Builder writes `<guid>/customization.log` and `<guid>/validation.log`."""
OUR_CONTAINER = "build-logs"
STORAGE_API = "2023-05-01"
MAX_FILES = 50
"""A run writes two or three; more than that is not ours to copy."""


class BuildLogsGateway:
    """Copies logs through this process, chunk by chunk: the two accounts need not trust."""

    def __init__(
        self, clients: AzureClients, settings: Settings, credential: "AsyncTokenCredential"
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._credential = credential
        self._ours: BlobServiceClient | None = None

    async def copy(self, staging_group: str, folder: str) -> CopiedLogs:
        """Copy the logs in *staging_group* (a resource group's id) into *folder* of ours.

        A repeat writes the same files again. Raises NotFoundError when the group has none, and
        RefusedError when they may not be read or there is nowhere to put them.
        """
        self._ours = self._ours or our_blobs(self._settings.storage, self._credential)
        if self._ours is None:
            raise RefusedError(
                "there is nowhere to copy build logs to; set AzureWebJobsStorage__blobServiceUri"
            )
        target = self._ours.get_container_client(OUR_CONTAINER)
        files: list[str] = []
        for endpoint in await self._accounts(staging_group):
            async with blobs_at(endpoint, self._credential) as theirs:
                source = theirs.get_container_client(SOURCE_CONTAINER)
                with translated(f"copy the build logs in {staging_group}"):
                    files += await _copy_all(source, target, folder)
        if not files:
            raise NotFoundError(f"there are no build logs in {staging_group}")
        return CopiedLogs(location=f"{target.url}/{folder}", files=tuple(sorted(files)))

    async def close(self) -> None:
        """Close the connection; the credential stays open, it is not ours."""
        if self._ours is not None:
            await self._ours.close()
        self._ours = None

    async def _accounts(self, staging_group: str) -> list[str]:
        """Return the blob endpoints of the storage accounts in a resource group."""
        request = HttpRequest(
            "GET",
            f"{staging_group}/providers/Microsoft.Storage/storageAccounts",
            params={"api-version": STORAGE_API},
        )
        with translated(f"list the storage accounts of {staging_group}"):
            answer: Any = await self._clients.ask(request)
        found = (a.get("properties", {}).get("primaryEndpoints", {}) for a in answer["value"])
        return [endpoints["blob"] for endpoints in found if endpoints.get("blob")]


async def _chunks(stream: "StorageStreamDownloader[bytes]") -> AsyncIterator[bytes]:
    """Yield what is downloaded; the SDK's own iterator claims to be a synchronous one too."""
    async for chunk in stream.chunks():
        yield chunk


async def _copy_all(source: "ContainerClient", target: "ContainerClient", folder: str) -> list[str]:
    """Copy every blob of *source*; return their names, which are none without a container."""
    names: list[str] = []
    with suppress(ResourceExistsError):
        await target.create_container()
    try:
        async for name in source.list_blob_names():
            if len(names) == MAX_FILES:
                break
            stream = await source.download_blob(name)
            await target.upload_blob(f"{folder}/{name}", _chunks(stream), overwrite=True)
            names.append(name)
    except ResourceNotFoundError:
        return names  # the container, or a blob just deleted: what was there is copied
    return names
