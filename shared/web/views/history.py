"""Histories as the API answers them: lines, states, and the time out of policy."""

from datetime import datetime

from shared.domain.history import VmLine
from shared.domain.periods import Compliance, Past, Period, Standing, Stretch
from shared.domain.vm_record import VmRecord
from shared.web.exchange import Json, Links
from shared.web.views.values import instant, instant_or_none

COLUMNS = (
    "at", "what", "from", "to", "because", "key", "number", "resource_id", "team", "definition",
    "version",
)  # fmt: skip
"""What a line says, in the order of CSV."""


def line_view(line: VmLine, links: Links) -> Json:
    """Return a line with the VM it is of; team and version are those the VM had afterwards."""
    change = line.transition
    return {
        "at": instant(change.at),
        "what": change.what,
        "from": change.old,
        "to": change.new,
        "because": change.because,
        "key": line.key,
        "number": line.number,
        "resource_id": line.resource_id,
        "team": line.team,
        "definition": line.definition or None,
        "version": line.version or None,
        "url": links.to("vms", line.key),
    }


def state_view(vm: VmRecord, past: Past, moment: datetime) -> Json:
    """Return what was true of a VM at *moment*; null is what is not known or was never said."""
    facts = past.at(moment)
    gone = facts.pop("deleted")
    return {
        **_heading(vm, past),
        "at": instant(moment),
        "presence": past.presence(moment).value,
        "deleted_at": instant(gone.start) if gone and gone.value else None,
        "facts": {what: _fact(period) if period else None for what, period in facts.items()},
    }


def compliance_view(vm: VmRecord, past: Past, since: datetime, until: datetime) -> Json:
    """Return how long a VM was out of policy from *since* to *until*, by each who judges it."""
    return {
        **_heading(vm, past),
        "from": instant(since),
        "to": instant(until),
        **{
            what: _compliance(past.compliance(what, since, until), since, until)
            for what in ("policy", "verdict")
        },
    }


def _heading(vm: VmRecord, past: Past) -> Json:
    return {
        "key": vm.key,
        "resource_id": vm.resource_id,
        "first_seen_at": instant(past.first_seen_at),
        "known_from": instant(past.known_from),
    }


def _fact(period: Period) -> Json:
    return {
        "value": period.value or None,
        "since": instant(period.start),
        "until": instant_or_none(period.end),
        "because": period.because,
    }


def _compliance(stood: Compliance, since: datetime, until: datetime) -> Json:
    return {
        "ever_out": stood.ever_out,
        **{f"{s.value}_seconds": stood.durations[s].total_seconds() for s in Standing},
        "out": [_stretch(stretch, since, until) for stretch in stood.out],
    }


def _stretch(stretch: Stretch, since: datetime, until: datetime) -> Json:
    return {
        "value": stretch.value,
        "from": instant(stretch.start),
        "to": instant_or_none(stretch.end),
        "seconds": stretch.within(since, until).total_seconds(),
        "because": stretch.because,
    }
