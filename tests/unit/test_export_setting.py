"""How long exports are kept."""

from datetime import timedelta

import pytest

from shared.errors import SettingsError
from shared.settings import settings_from_environ
from tests.settings import APP_ENVIRON


@pytest.mark.parametrize(("said", "days"), [("", 7), ("1", 1), ("365", 365)])
def test_exports_are_kept_for_the_days_that_are_set(said: str, days: int) -> None:
    settings = settings_from_environ({**APP_ENVIRON, "ASSAY_EXPORT_DAYS": said})

    assert settings.export_life == timedelta(days=days)


@pytest.mark.parametrize("said", ["0", "366", "1.5", "-1", "a week"])
def test_days_that_make_no_sense_are_refused_by_name(said: str) -> None:
    with pytest.raises(SettingsError, match=r"ASSAY_EXPORT_DAYS .* whole number from 1 to 365"):
        settings_from_environ({**APP_ENVIRON, "ASSAY_EXPORT_DAYS": said})
