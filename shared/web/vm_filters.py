"""From what a request asks of the VMs to the filter of the register."""

from dataclasses import replace
from datetime import UTC, datetime

from shared.ports import MACHINES, VmFilter
from shared.web.exchange import ApiRequest
from shared.web.fleet_schema import VmFilters
from shared.web.views.values import instant


def vm_filter(
    asked: VmFilters, *, overdue_at: datetime | None = None, deleted: bool = False
) -> VmFilter:
    """Return the filter for what is *asked*: of those overdue at a time, or of all."""
    return VmFilter(
        team=asked.team,
        image=asked.image,
        version=asked.version,
        verdict=asked.verdict.value if asked.verdict else "",
        subscription_id=str(asked.subscription) if asked.subscription else "",
        kind=asked.kind.value if asked.kind else "",
        region=asked.region,
        policy=asked.policy,
        machines=(asked.machine,) if asked.machine else MACHINES,
        due_before=overdue_at,
        deleted=deleted,
    )


def time_of(asked: VmFilters, *, now: datetime) -> datetime:
    """Return the time that *asked* is about, to the minute, as the register keeps due days."""
    return (asked.as_of or now).astimezone(UTC).replace(second=0, microsecond=0)


def fixed_in_time(request: ApiRequest, as_of: datetime) -> ApiRequest:
    """Return *request* as if it had named its time: all pages of a list are to be of one time."""
    return replace(request, query={**request.query, "as_of": instant(as_of)})
