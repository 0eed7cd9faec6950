"""Exports: what was asked for, how far each is, and the files they are written to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.ports.values import Page, Stored
from shared.ports.vm_records import VmFilter


class ExportWhat(StrEnum):
    """What is exported."""

    VMS = "vms"
    OVERDUE = "overdue"


class ExportForm(StrEnum):
    """What the file is, as a media type."""

    JSON = "application/json"
    """One array, an item a line."""
    CSV = "text/csv"
    JSON_LINES = "application/x-ndjson"

    @property
    def extension(self) -> str:
        """What the name of the file ends in."""
        return {self.JSON: "json", self.CSV: "csv", self.JSON_LINES: "jsonl"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMark:
    """The page last written to a file, and how the file is with it."""

    page: int
    """Counted from 0."""
    rows: int
    """In all."""
    size: int
    """Bytes of the whole file."""
    cursor: str
    """Where the next page begins; empty after the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export: what was asked for, and how far it is."""

    id: str
    what: ExportWhat
    form: ExportForm
    wanted: VmFilter
    as_of: datetime
    """What is overdue is so as of then."""
    created_at: datetime
    expires_at: datetime
    pages: int = 0
    rows: int = 0
    size: int = 0
    """Bytes."""
    cursor: str = ""
    finished_at: datetime | None = None
    problem: str = ""
    """Why it cannot go on until a person acts; empty while it can."""

    @property
    def state(self) -> str:
        """Return `waiting`, `writing`, `stuck` or `finished`."""
        if self.finished_at:
            return "finished"
        if self.problem:
            return "stuck"
        return "writing" if self.pages else "waiting"

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.id}.{self.form.extension}"


class Exports(Protocol):
    """The records of exports, by id."""

    async def get(self, export_id: str) -> Stored[Export] | None:
        """Load one."""

    async def save(self, export: Stored[Export]) -> Stored[Export]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""

    async def expired(self, *, now: datetime, limit: int) -> Page[Export]:
        """List exports that have expired."""

    async def remove(self, export_id: str) -> None:
        """Forget one; no error when it is gone already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A file as it was seen; without *etag* there is none yet."""

    size: int = 0
    mark: PageMark | None = None
    etag: str = ""


class ExportFiles(Protocol):
    """Files that grow page by page and are read by whoever has a link."""

    async def look(self, name: str) -> FileState:
        """Return how a file is."""

    async def append(
        self, name: str, content: bytes, *, seen: FileState, mark: PageMark, form: ExportForm
    ) -> None:
        """Write *mark* on the file, then append *content*; make the file when there is none.

        Whoever dies between the two leaves a mark that is ahead of the file's size. Raises
        ConflictError when the file is no longer as *seen*; then nothing was appended.
        """

    async def link(self, name: str, *, now: datetime) -> str:
        """Return an address anybody may read the file at for a quarter of an hour."""

    async def remove(self, name: str) -> None:
        """Delete a file; no error when it is gone already."""
