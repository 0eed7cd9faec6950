"""One page of an export as it is written to its file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.overdue import overdue
from shared.domain.vm_record import VmRecord
from shared.fleet.sheets import OVERDUE_SHEET, VM_SHEET, Value, csv_text, row_of
from shared.ports import Export, ExportForm, ExportWhat


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPage:
    """The rows of a page, by column."""

    columns: Sequence[str]
    rows: Sequence[dict[str, Value]]

    def content(self, form: ExportForm, *, first: bool, rows_before: int, last: bool) -> bytes:
        """Return what the page adds to the file: what opens and ends it too, where it does."""
        if form is ExportForm.CSV:
            header = [self.columns] if first else []
            return csv_text([*header, *(list(row.values()) for row in self.rows)]).encode()
        items = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in self.rows]
        if form is ExportForm.JSON_LINES:
            return "".join(f"{item}\n" for item in items).encode()
        text = ",\n".join(items)
        joint = ",\n" if rows_before and items else ""
        return (("[\n" if first else "") + joint + text + ("\n]\n" if last else "")).encode()


def export_page(
    export: Export, records: Sequence[VmRecord], *, policy: FleetPolicy, as_of: datetime
) -> ExportPage:
    """Return *records* as rows of *export*."""
    if export.what is ExportWhat.VMS:
        return ExportPage(columns=list(VM_SHEET), rows=[row_of(VM_SHEET, vm) for vm in records])
    late = (overdue(vm, policy=policy, as_of=as_of) for vm in records)
    rows = [row_of(OVERDUE_SHEET, item) for item in late if item]
    return ExportPage(columns=list(OVERDUE_SHEET), rows=rows)
