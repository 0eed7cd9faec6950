"""How fast the fleet takes up a version."""

from datetime import UTC, datetime, timedelta

from shared.domain.adoption import Uptake, hours_until, uptake
from shared.domain.snapshot import ALL, Dimension, Grain, Snapshot, Tally
from shared.domain.vm_record import Verdict

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def snapshot(versions: dict[str, int], *, all_of_it: int) -> Snapshot:
    by = {
        Dimension.VERSION: {v: {Verdict.CURRENT: n} for v, n in versions.items()},
        Dimension.IMAGE: {"ubuntu": {Verdict.CURRENT: all_of_it}},
    }
    return Snapshot(team=ALL, at=NOON, as_of=NOON, tally=Tally(count=all_of_it, by=by))


def test_newer_versions_count_as_taken_up_and_are_compared_as_numbers() -> None:
    seen = uptake(
        snapshot(
            {
                "ubuntu/1.20261101.9": 3,
                "ubuntu/1.20261101.10": 4,
                "ubuntu/1.20261201.1": 1,
                "ubuntu/(none)": 7,
                "ubuntu-2/1.20271101.1": 50,
            },
            all_of_it=15,
        ),
        Grain.HOUR,
        definition="ubuntu",
        version="1.20261101.10",
    )

    assert (seen.exactly, seen.at_least, seen.all) == (4, 5, 15)
    assert seen.share == 5 / 15


def test_an_image_without_vms_has_no_share() -> None:
    seen = uptake(snapshot({}, all_of_it=0), Grain.DAY, definition="ubuntu", version="1.1.1")

    assert seen.share is None


def point(hours: float, at_least: int, of: int = 100) -> Uptake:
    at = NOON + timedelta(hours=hours)
    return Uptake(at=at, grain=Grain.HOUR, exactly=at_least, at_least=at_least, all=of)


def test_the_first_point_at_or_above_the_share_counts() -> None:
    curve = [point(1, 10), point(2.504, 50), point(3, 40), point(4, 96)]

    assert hours_until(0.5, curve, published_at=NOON) == 2.51
    assert hours_until(0.95, curve, published_at=NOON) == 4
    assert hours_until(0.97, curve, published_at=NOON) is None
    assert hours_until(0.5, [point(1, 0, of=0)], published_at=NOON) is None
