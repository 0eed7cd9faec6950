"""Evidence on image versions, as blobs: `evidence/<definition>/<version>/<document>`."""

from contextlib import suppress
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from shared.errors import RefusedError
from shared.gateways.blob_storage import RETRIES, our_blobs
from shared.gateways.errors import translated
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobServiceClient

CONTAINER = "evidence"


class BlobEvidence:
    """Implements `shared.ports.Evidence` over Blob Storage; the container is made when needed.

    *retries* is how often a request is sent again after a 5xx or a broken connection.
    """

    def __init__(
        self, settings: Settings, credential: "AsyncTokenCredential", *, retries: int = RETRIES
    ) -> None:
        self._settings = settings
        self._credential = credential
        self._retries = retries
        self._service: BlobServiceClient | None = None

    async def put(self, definition: str, version: str, name: str, content: bytes) -> None:
        """Keep a document; keeping it again replaces it."""
        path = f"{definition}/{version}/{name}"
        container = self._connected().get_container_client(CONTAINER)
        with translated(f"keep the document {CONTAINER}/{path}"):
            try:
                await container.upload_blob(path, content, overwrite=True)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):  # another delivery was first
                    await container.create_container()
                await container.upload_blob(path, content, overwrite=True)

    async def get(self, definition: str, version: str, name: str) -> bytes | None:
        """Return a document; None when there is none."""
        path = f"{definition}/{version}/{name}"
        blob = self._connected().get_blob_client(CONTAINER, path)
        with translated(f"read the document {CONTAINER}/{path}"):
            try:
                content: bytes = await (await blob.download_blob()).readall()
            except ResourceNotFoundError:
                return None
        return content

    async def close(self) -> None:
        """Close every connection; the credential stays open, it is not ours."""
        if self._service is not None:
            await self._service.close()
        self._service = None

    def _connected(self) -> "BlobServiceClient":
        self._service = self._service or our_blobs(
            self._settings.storage, self._credential, retries=self._retries
        )
        if self._service is None:
            raise RefusedError(
                "there is no place for evidence: set AzureWebJobsStorage__blobServiceUri"
            )
        return self._service
