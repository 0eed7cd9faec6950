"""The files of exports: append blobs `exports/<file>`, read through links that expire."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

from shared.errors import ConflictError, RefusedError
from shared.gateways.blob_storage import our_blobs
from shared.gateways.errors import translated
from shared.ports import ExportForm, FileState, PageMark
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob import BlobProperties
    from azure.storage.blob.aio import BlobClient, BlobServiceClient

CONTAINER = "exports"
LINK_LIFE = timedelta(minutes=15)
_SKEW = timedelta(minutes=5)
"""How far the clocks of client and storage may be apart: links are good from before now on."""


class BlobExportFiles:
    """Implements `shared.ports.ExportFiles` over Blob Storage; the container is made when needed.

    The mark is the blob's metadata. Writing it changes the ETag the append then asks for, so that
    of two deliveries only the one that marked last can append, and to that length alone.
    """

    def __init__(self, settings: Settings, credential: "AsyncTokenCredential") -> None:
        self._settings = settings
        self._credential = credential
        self._service: BlobServiceClient | None = None

    async def look(self, name: str) -> FileState:
        """Return how a file is."""
        with translated(f"look at the export {name}"):
            try:
                properties: BlobProperties = await self._blob(name).get_blob_properties()
            except ResourceNotFoundError:
                return FileState()
        mark = _read_mark(properties.metadata)
        return FileState(size=int(properties.size), mark=mark, etag=str(properties.etag))

    async def append(
        self, name: str, content: bytes, *, seen: FileState, mark: PageMark, form: ExportForm
    ) -> None:
        """Write *mark* on the file, then append *content*; make the file when there is none."""
        blob = self._blob(name)
        with translated(f"write the export {name}"):
            try:
                etag = await self._mark(blob, seen, mark, form)
                if content:
                    await blob.append_block(
                        content,
                        length=len(content),
                        appendpos_condition=seen.size,
                        etag=etag,
                        match_condition=MatchConditions.IfNotModified,
                    )
            except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError) as error:
                raise ConflictError(f"another delivery changed the export {name}") from error

    async def link(self, name: str, *, now: datetime) -> str:
        """Return an address anybody may read the file at for a quarter of an hour."""
        from azure.storage.blob import BlobSasPermissions, generate_blob_sas  # noqa: PLC0415

        blob = self._blob(name)
        start, until = now - _SKEW, now + LINK_LIFE
        with translated(f"make a link to the export {name}"):
            signature = generate_blob_sas(
                account_name=str(blob.account_name),
                container_name=CONTAINER,
                blob_name=name,
                permission=BlobSasPermissions(read=True),
                start=start,
                expiry=until,
                **await self._signing(start, until),
            )
        return f"{blob.url}?{signature}"

    async def remove(self, name: str) -> None:
        """Delete a file; no error when it is gone already."""
        with translated(f"delete the export {name}"):
            try:
                await self._blob(name).delete_blob()
            except ResourceNotFoundError:
                return

    async def close(self) -> None:
        """Close every connection; the credential stays open, it is not ours."""
        if self._service is not None:
            await self._service.close()
        self._service = None

    async def _mark(
        self, blob: "BlobClient", seen: FileState, mark: PageMark, form: ExportForm
    ) -> str:
        """Write the mark where the blob is as *seen*; return the ETag it has then."""
        metadata = _metadata(mark)
        if seen.etag:
            answer: dict[str, Any] = await blob.set_blob_metadata(
                metadata, etag=seen.etag, match_condition=MatchConditions.IfNotModified
            )
            return str(answer["etag"])
        try:
            return await _create(blob, metadata, form)
        except ResourceNotFoundError:
            await self._make_container()
            return await _create(blob, metadata, form)

    async def _make_container(self) -> None:
        try:
            await self._connected().create_container(CONTAINER)
        except ResourceExistsError:
            return  # another delivery was first

    async def _signing(self, start: datetime, until: datetime) -> dict[str, Any]:
        """Return what signs a link: a key of our identity, or that of a connection string."""
        service = self._connected()
        if key := getattr(service.credential, "account_key", None):
            return {"account_key": key}
        return {"user_delegation_key": await service.get_user_delegation_key(start, until)}

    def _blob(self, name: str) -> "BlobClient":
        return self._connected().get_blob_client(CONTAINER, name)

    def _connected(self) -> "BlobServiceClient":
        self._service = self._service or our_blobs(self._settings.storage, self._credential)
        if self._service is None:
            raise RefusedError(
                "there is no place for exports: set AzureWebJobsStorage__blobServiceUri"
            )
        return self._service


async def _create(blob: "BlobClient", metadata: dict[str, str], form: ExportForm) -> str:
    from azure.storage.blob import ContentSettings  # noqa: PLC0415 - heavy

    charset = "; charset=utf-8" if form is ExportForm.CSV else ""
    answer: dict[str, Any] = await blob.create_append_blob(
        content_settings=ContentSettings(
            content_type=f"{form}{charset}",
            content_disposition=f'attachment; filename="{blob.blob_name}"',
        ),
        metadata=metadata,
        match_condition=MatchConditions.IfMissing,
    )
    return str(answer["etag"])


def _metadata(mark: PageMark) -> dict[str, str]:
    """Write a mark as metadata; none of it may be empty, for some stores drop what is."""
    return {
        "page": str(mark.page),
        "rows": str(mark.rows),
        "size": str(mark.size),
        "cursor": f"at:{mark.cursor}",
    }


def _read_mark(metadata: dict[str, str]) -> PageMark | None:
    if "page" not in metadata:
        return None
    return PageMark(
        page=int(metadata["page"]),
        rows=int(metadata["rows"]),
        size=int(metadata["size"]),
        cursor=metadata["cursor"].removeprefix("at:"),
    )
