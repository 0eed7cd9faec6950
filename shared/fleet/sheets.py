"""What lists of VMs look like in a spreadsheet: named columns, and CSV that is safe to open.

CSV is written as RFC 4180 describes it, in UTF-8. A text that a spreadsheet would take for a
formula gets an apostrophe in front, as OWASP advises ("CSV Injection",
https://owasp.org/www-community/attacks/CSV_Injection): names and tags come from anybody.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence

from shared.domain.instants import instant, instant_or_none
from shared.domain.overdue import Overdue
from shared.domain.vm_record import VmRecord

type Value = str | int | float | None
type Sheet[T] = Mapping[str, Callable[[T], Value]]
"""The columns of a list, by name and in order."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet see a formula, full-width forms too; OWASP ASVS 5.0, requirement 1.2.10,
adds the null character."""

VM_SHEET: Sheet[VmRecord] = {
    "key": lambda vm: vm.key,
    "name": lambda vm: vm.name,
    "team": lambda vm: vm.team or None,
    "kind": lambda vm: vm.kind.value,
    "machine": lambda vm: vm.machine.value,
    "image": lambda vm: vm.definition or None,
    "image_id": lambda vm: vm.image.image_id or None,
    "version": lambda vm: vm.image.version or None,
    "verdict": lambda vm: vm.verdict.value,
    "rule": lambda vm: vm.rule.value,
    "reason": lambda vm: vm.reason,
    "behind": lambda vm: vm.behind,
    "newest": lambda vm: vm.newest or None,
    "policy": lambda vm: vm.policy or None,
    "due_at": lambda vm: instant_or_none(vm.due_at),
    "plan_due_at": lambda vm: instant_or_none(vm.plan_due_at),
    "region": lambda vm: vm.region,
    "os": lambda vm: vm.os or None,
    "subscription": lambda vm: vm.subscription_id,
    "resource_group": lambda vm: vm.resource_group,
    "resource_id": lambda vm: vm.resource_id,
    "scale_set_id": lambda vm: vm.scale_set_id or None,
    "image_published_at": lambda vm: instant_or_none(vm.image_published_at),
    "created_at": lambda vm: instant_or_none(vm.created_at),
    "first_seen_at": lambda vm: instant(vm.first_seen_at),
    "changed_at": lambda vm: instant(vm.changed_at),
    "deleted_at": lambda vm: instant_or_none(vm.deleted_at),
    "as_of": lambda vm: instant(vm.as_of),
}

OVERDUE_SHEET: Sheet[Overdue] = {
    "key": lambda late: late.vm.key,
    "name": lambda late: late.vm.name,
    "team": lambda late: late.vm.team or None,
    "days_overdue": lambda late: late.days,
    "due_at": lambda late: instant(late.due_at),
    "verdict": lambda late: late.vm.verdict.value,
    "rule": lambda late: late.rule,
    "what_to_do": lambda late: late.what_to_do,
    "newest": lambda late: late.vm.newest or None,
    "kind": lambda late: late.vm.kind.value,
    "image": lambda late: late.vm.definition or None,
    "image_id": lambda late: late.vm.image.image_id or None,
    "version": lambda late: late.vm.image.version or None,
    "region": lambda late: late.vm.region,
    "subscription": lambda late: late.vm.subscription_id,
    "resource_id": lambda late: late.vm.resource_id,
    "as_of": lambda late: instant(late.as_of),
}


def row_of[T](sheet: Sheet[T], item: T) -> dict[str, Value]:
    """Return *item* as one row, by column."""
    return {name: read(item) for name, read in sheet.items()}


def csv_text(rows: Iterable[Sequence[Value]]) -> str:
    """Return *rows* as lines of CSV, each ended by CR and LF; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerows([_guarded(value) for value in row] for row in rows)
    return text.getvalue()


def _guarded(value: Value) -> str | int | float:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
