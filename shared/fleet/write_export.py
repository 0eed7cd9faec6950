"""Step write_export: append the register to a file, page by page, each page once.

The mark of a page is written on the file before the page is appended, and only whoever wrote the
mark may append. So the file itself says which page it holds last, whoever died on the way: a file
as long as its mark says holds that page, and the export's record follows it.
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.turns import Admission, admit
from shared.errors import PermanentError
from shared.fleet.export_page import export_page
from shared.messages import Delayed, Message, WriteExport
from shared.ports import Export, ExportFiles, Exports, FileState, Pace, PageMark, Vms

ROWS = 1000
"""VMs a page holds: at two kilobytes each, half of the 4 MiB that every version of Append Block
takes ("Append Block", Microsoft Learn)."""


async def write_export(
    command: WriteExport,
    *,
    exports: Exports,
    export_files: ExportFiles,
    vms: Vms,
    fleet_policy: FleetPolicy,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Write the page whose turn it is; a repeat appends nothing twice.

    An export that cannot go on says why, and goes on when the parked message is replayed.
    """
    stored = await exports.get(command.export_id)
    if stored is None or stored.value.finished_at:
        return []
    match admit(command.page, taken=stored.value.pages, guard=command.guard):
        case Admission.DROP:
            return []
        case Admission.GUARD:
            return [Delayed(command=replace(command, guard=True), delay=pace.grace)]
        case Admission.RESEND:
            return [_next(stored.value)]
        case Admission.ACT:
            pass
    try:
        mark = await _write(stored.value, export_files, vms=vms, policy=fleet_policy)
    except PermanentError as error:
        await exports.save(replace(stored, value=replace(stored.value, problem=str(error))))
        raise
    further = replace(
        stored.value,
        pages=mark.page + 1,
        rows=mark.rows,
        size=mark.size,
        cursor=mark.cursor,
        finished_at=None if mark.cursor else now,
        problem="",
    )
    await exports.save(replace(stored, value=further))
    return [] if further.finished_at else [_next(further)]


async def _write(export: Export, files: ExportFiles, *, vms: Vms, policy: FleetPolicy) -> PageMark:
    """Append the page that is next, unless the file holds it, and return its mark."""
    seen = await files.look(export.file)
    if mark := _held(seen, export.pages):
        return mark
    page = await vms.list(export.wanted, limit=ROWS, cursor=export.cursor)
    made = export_page(export, page.items, policy=policy, as_of=export.as_of)
    content = made.content(
        export.form, first=not export.pages, rows_before=export.rows, last=not page.cursor
    )
    mark = PageMark(
        page=export.pages,
        rows=export.rows + len(made.rows),
        size=export.size + len(content),
        cursor=page.cursor,
    )
    await files.append(export.file, content, seen=seen, mark=mark, form=export.form)
    return mark


def _held(seen: FileState, page: int) -> PageMark | None:
    """Return the mark of *page* when it is in the file."""
    mark = seen.mark
    return mark if mark and mark.page == page and mark.size == seen.size else None


def _next(export: Export) -> WriteExport:
    return WriteExport(export_id=export.id, page=export.pages)
