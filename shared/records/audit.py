"""What was asked for through the API: one partition per scope, newest first."""

from pydantic import TypeAdapter

from shared.ports import AuditEntry, Page
from shared.records.entities import pack, unpack
from shared.records.keys import escape, newest_first
from shared.records.tables import Stretch, Tables

_ADAPTER = TypeAdapter(AuditEntry)


class TableAudit:
    """Implements `shared.ports.Audit`."""

    def __init__(self, tables: Tables) -> None:
        self._entries = tables.table("Audit")

    async def write(self, entry: AuditEntry) -> None:
        """Keep *entry*; writing it again under the same id replaces it."""
        columns = {"subject": entry.subject, "what": entry.what, "who": entry.who}
        row = pack(
            _ADAPTER,
            entry,
            partition=escape(entry.scope),
            row=f"{newest_first(entry.at)}|{escape(entry.id)}",
            columns=columns,
        )
        await self._entries.put(row)

    async def list(
        self, scope: str, *, subject: str = "", limit: int = 50, cursor: str = ""
    ) -> Page[AuditEntry]:
        """List the entries of *scope*, of one *subject* or of all, newest first.

        Raises BadMessageError when *cursor* is not one we gave for this list.
        """
        query, parameters = "PartitionKey eq @scope", {"scope": escape(scope)}
        if subject:
            query += " and subject eq @subject"
            parameters["subject"] = subject
        found = await self._entries.page(
            [Stretch(query=query, parameters=parameters)],
            limit=limit,
            cursor=cursor,
            of=("audit", scope, subject),
        )
        return Page(items=tuple(unpack(_ADAPTER, row) for row in found.rows), cursor=found.cursor)
