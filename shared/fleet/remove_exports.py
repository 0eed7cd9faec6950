"""Step remove_exports: exports do not stay for ever."""

from datetime import datetime

from shared.messages import Message, RemoveExports
from shared.ports import ExportFiles, Exports

_AT_ONCE = 50


async def remove_exports(
    command: RemoveExports, *, exports: Exports, export_files: ExportFiles, now: datetime
) -> list[Message]:
    """Remove what has expired: the file first, so that a crash leaves the record to find it by."""
    page = await exports.expired(now=now, limit=_AT_ONCE)
    for export in page.items:
        await export_files.remove(export.file)
        await exports.remove(export.id)
    return [command] if page.cursor else []
