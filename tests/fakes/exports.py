"""Exports in memory: their records and their files."""

from dataclasses import dataclass
from datetime import datetime
from itertools import count

from shared.errors import ConflictError
from shared.ports import Export, ExportForm, FileState, Page, PageMark, Stored
from tests.fakes.dial import Dial
from tests.fakes.shelf import Shelf, page_of


class MemoryExports:
    """Implements `shared.ports.Exports`."""

    def __init__(self) -> None:
        self._shelf = Shelf[Export]()

    async def get(self, export_id: str) -> Stored[Export] | None:
        return self._shelf.get(export_id)

    async def save(self, export: Stored[Export]) -> Stored[Export]:
        return self._shelf.save(export.value.id, export)

    async def expired(self, *, now: datetime, limit: int) -> Page[Export]:
        known = sorted((s.value for s in self._shelf.values()), key=lambda e: e.id)
        return page_of(
            [e for e in known if e.expires_at < now], of="expired", limit=limit, cursor=""
        )

    async def remove(self, export_id: str) -> None:
        self._shelf.remove(export_id)


@dataclass
class _File:
    content: bytes
    mark: PageMark
    etag: str


class FakeExportFiles(Dial):
    """Implements `shared.ports.ExportFiles`."""

    def __init__(self) -> None:
        super().__init__()
        self._files: dict[str, _File] = {}
        self._etags = count(1)

    def content(self, name: str) -> bytes:
        """Return what is in a file."""
        return self._files[name].content

    async def look(self, name: str) -> FileState:
        self._call("look")
        file = self._files.get(name)
        return (
            FileState(size=len(file.content), mark=file.mark, etag=file.etag)
            if file
            else FileState()
        )

    async def append(
        self, name: str, content: bytes, *, seen: FileState, mark: PageMark, form: ExportForm
    ) -> None:
        if (await self.look(name)).etag != seen.etag:
            raise ConflictError(f"{name} was changed by another delivery")
        before = self._files[name].content if seen.etag else b""
        self._files[name] = _File(before, mark, f"etag-{next(self._etags)}")
        self._call("append")  # here whoever is killed leaves a mark alone
        self._files[name] = _File(before + content, mark, f"etag-{next(self._etags)}")

    async def link(self, name: str, *, now: datetime) -> str:
        self._call("link")
        return f"https://storage.example/exports/{name}?sig=x"

    async def remove(self, name: str) -> None:
        self._call("remove")
        self._files.pop(name, None)
