"""Timers fire on NCRONTAB schedules, at start when asked to, and by hand."""

import json
from datetime import UTC, datetime

import pytest

from localcloud.errors import FunctionsHostError
from localcloud.host import HostOptions
from localcloud.host.timers import Schedule
from tests.functional.host.conftest import Sample, StartSample


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "next_time"),
    [
        ("0 */5 * * * *", "2026-03-01T10:02:30", "2026-03-01T10:05:00"),
        ("*/10 * * * * *", "2026-03-01T10:02:30", "2026-03-01T10:02:40"),
        ("0 30 9 * * Mon-Fri", "2026-02-28T12:00:00", "2026-03-02T09:30:00"),
        ("0 0 0 1 1 *", "2026-03-01T10:00:00", "2027-01-01T00:00:00"),
        ("0 0 0 * * 0", "2026-03-01T00:00:00", "2026-03-08T00:00:00"),
        # Day of month and day of week must both match: the next Friday the 13th.
        ("0 0 0 13 * 5", "2026-03-14T00:00:00", "2026-11-13T00:00:00"),
        ("15,45 0 3 * Feb *", "2026-03-01T00:00:00", "2027-02-01T03:00:15"),
    ],
)
def test_the_next_time_is_the_one_ncrontab_gives(
    expression: str, after: str, next_time: str
) -> None:
    assert Schedule(expression).after(at(after)) == at(next_time)


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "0 0 0 L * *",
        "0 0 0 * * 7",
        "0 0 0 ? * *",
        "0 0 25 * * *",
        "0 0 0 30 2 *",
        "@daily",
        "",
    ],
)
def test_what_ncrontab_does_not_know_is_refused(expression: str) -> None:
    with pytest.raises(FunctionsHostError):
        Schedule(expression)


@pytest.mark.azurite
async def test_a_timer_may_run_at_start_and_writes_its_outputs(start_sample: StartSample) -> None:
    async with start_sample(options=HostOptions()) as sample:
        await sample.host.wait_idle(10)
        (status,) = sample.seen("tick")
        assert status["past_due"] is False
        assert status["Last"] == "0001-01-01T00:00:00+00:00"
        assert status["Next"].endswith("-01-01T00:00:00+00:00")
        assert sorted(sample.seen("sink")) == ["first", '{"second": [1, true]}']


@pytest.mark.azurite
async def test_a_timer_fires_on_its_schedule(
    start_sample: StartSample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLE_SCHEDULE", "*/1 * * * * *")
    async with start_sample(options=HostOptions()) as sample:
        await sample.wait_for("tick", times=3)  # One at start, then one a second.
        second, third = (datetime.fromisoformat(seen["Last"]) for seen in sample.seen("tick")[1:3])
        assert second < third


@pytest.mark.azurite
async def test_a_timer_is_fired_by_hand(sample: Sample) -> None:
    for _ in range(2):
        async with sample.http.post("/admin/functions/tick", data=json.dumps({})) as response:
            assert response.status == 202
        await sample.host.wait_idle(10)
    first, second = sample.seen("tick")
    assert first["Last"] < second["Last"]
