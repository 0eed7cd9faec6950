"""Runs timer functions on their schedules: NCRONTAB with six fields, in UTC."""

import asyncio
import json
import re
from datetime import UTC, datetime

from croniter import CroniterError, croniter

from localcloud.errors import FunctionsHostError
from localcloud.host.bindings import Function
from localcloud.host.invoker import Invoker
from localcloud.host.protos import TypedData
from localcloud.host.tasks import Tasks

# croniter reads more than NCRONTAB does (L, #, ?, @daily, a Sunday of 7); only this is let through.
_FIELD = r"(?:{value}(?:-{value})?|\*)(?:/\d+)?"
_NUMBER = r"\d{1,2}"
_MONTH = rf"(?:{_NUMBER}|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_WEEKDAY = r"(?:[0-6]|sun|mon|tue|wed|thu|fri|sat)"
_FIELDS = [
    re.compile(rf"{field}(?:,{field})*", re.IGNORECASE)
    for value in (_NUMBER, _NUMBER, _NUMBER, _NUMBER, _MONTH, _WEEKDAY)
    for field in [_FIELD.format(value=value)]
]
_NEVER = "0001-01-01T00:00:00+00:00"


class Schedule:
    """When a timer fires: seconds, minutes, hours, day of month, month, day of week."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        fields = expression.split()
        known = len(fields) == len(_FIELDS) and all(map(re.Pattern.fullmatch, _FIELDS, fields))
        if not known:
            raise FunctionsHostError(f"{expression!r} is not an NCRONTAB schedule of six fields.")
        try:
            self.after(datetime.now(UTC))
        except CroniterError as error:
            raise FunctionsHostError(f"{expression!r} never fires: {error}") from error

    def after(self, moment: datetime) -> datetime:
        """The first time it fires after the moment."""
        # NCRONTAB fires when day of month and day of week both match, classic cron when one does.
        times = croniter(self._expression, moment, day_or=False, second_at_beginning=True)
        found: datetime = times.get_next(datetime)
        return found


class Timer:
    """One timer function."""

    def __init__(self, function: Function, *, invoker: Invoker, tasks: Tasks) -> None:
        self.function = function
        self.run_on_startup = bool(function.trigger.fields.get("runOnStartup", False))
        try:
            self._schedule = Schedule(str(function.trigger.fields["schedule"]))
        except FunctionsHostError as error:
            raise FunctionsHostError(f"{function.name}: {error}") from error
        self._invoker = invoker
        self._tasks = tasks
        self._last: datetime | None = None

    async def run(self) -> None:
        """Fire at every due time, for ever; never twice at once."""
        due = self._schedule.after(datetime.now(UTC))
        while True:
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            # Shielded: a host that stops lets a function it has begun come to its end.
            await asyncio.shield(self._tasks.start(self.fire()))
            # A sleep may end a moment early; the same due time must not come twice.
            due = self._schedule.after(max(due, datetime.now(UTC)))

    async def fire(self) -> None:
        """Invoke the function now."""
        data = TypedData(json=json.dumps(self.payload(datetime.now(UTC))))
        await self._invoker.invoke(self.function, data)

    def payload(self, now: datetime) -> dict[str, object]:
        """What the function gets, as the real host writes it; records `now` as the last time."""
        last, self._last = self._last, now
        return {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {
                "Last": last.isoformat() if last else _NEVER,
                "LastUpdated": last.isoformat() if last else _NEVER,
                "Next": self._schedule.after(now).isoformat(),
            },
            "IsPastDue": False,
        }
