"""Asking whether Assay is up."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from shared import __version__
from shared.domain.build import Build
from shared.errors import UnavailableError
from shared.ports import Page
from shared.web.health import check_health
from tests.fakes.records import MemoryBuilds
from tests.unit.web.office import Office
from tests.unit.web.samples import NOON_TEXT, request


@dataclass
class FailingBuilds(MemoryBuilds):
    """A register whose storage fails with *error*."""

    error: Exception

    async def list(self, *, definition: str = "", limit: int = 50, cursor: str = "") -> Page[Build]:
        raise self.error


async def test_assay_is_healthy_when_its_storage_answers() -> None:
    assert await Office().body(check_health, request("health")) == {
        "status": "healthy",
        "version": __version__,
        "definitions": 1,
        "storage": "answers",
        "fleet": {"subscriptions": 0, "unreadable": 0, "last_sweep_at": None, "problem": None},
        "as_of": NOON_TEXT,
    }


@pytest.mark.parametrize(
    "error", [UnavailableError("table service at 10.0.0.4 is gone"), TimeoutError()]
)
async def test_assay_is_unhealthy_when_its_storage_does_not_and_keeps_the_reason_to_the_log(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office(builds=FailingBuilds(error))
    assert await office.body(check_health, request("health"), status=503) == {
        "status": "unhealthy",
        "version": __version__,
        "definitions": 1,
        "storage": "does not answer",
        "fleet": None,
        "as_of": NOON_TEXT,
    }
    assert [r.getMessage() for r in caplog.records] == [f"storage does not answer: {error!r}"]


def test_the_version_is_that_of_the_project() -> None:
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{__version__}"' in project
