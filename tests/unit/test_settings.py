"""Settings are read once, and every fault is named at once."""

from datetime import timedelta

import pytest

from shared.errors import SettingsError
from shared.settings import VARIABLES, settings_from_environ
from tests.settings import APP_ENVIRON


def problems(**changes: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings_from_environ({**APP_ENVIRON, **changes})
    return caught.value.problems


def test_a_complete_environment_is_read() -> None:
    settings = settings_from_environ(
        {
            **APP_ENVIRON,
            "ASSAY_LOCATION": "West Europe",
            "ASSAY_FLEET_FILE": "company/fleet.yaml",
            "ASSAY_LOOK_SECONDS": "0.5",
        }
    )

    assert settings.location == "westeurope"
    assert settings.fleet_file == "company/fleet.yaml"
    assert settings.pace.look == timedelta(seconds=0.5)
    assert settings.pace.retry == timedelta(minutes=30)
    assert settings.arm_endpoint == "https://management.azure.com"


def test_everything_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from_environ({})

    required = [v.name for v in VARIABLES if v.default is None]
    text = str(caught.value)
    assert text.startswith("Assay cannot start:")
    assert [name for name in required if f"{name} is not set." not in text] == []
    assert "AzureWebJobsStorage__queueServiceUri" in text
    assert "AzureWebJobsStorage__blobServiceUri are not all set" in text


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ASSAY_ARM_ENDPOINT", "http://management.azure.com", "must be an https address"),
        ("ASSAY_TOPIC_ENDPOINT", "topic", "must be an https address"),
        ("ASSAY_PUBLIC_URL", "ftp://x", "must be an https address"),
        ("ASSAY_SUBSCRIPTION_ID", "prod", "must be a GUID"),
        ("ASSAY_BUILD_IDENTITY_ID", "id-build", "must be a resource id"),
        ("ASSAY_LOOK_SECONDS", "0", "more than 0"),
        ("ASSAY_LOOK_SECONDS", "soon", "could not convert"),
        ("ASSAY_GRACE_SECONDS", "1e9", "at most 604800"),
    ],
)
def test_a_malformed_setting_is_named_with_what_it_must_be(
    name: str, value: str, said: str
) -> None:
    (problem,) = problems(**{name: value})

    assert problem.startswith(f"{name} is {value!r}: ")
    assert said in problem


def test_two_faults_are_two_sentences() -> None:
    found = problems(ASSAY_LOOK_SECONDS="x", ASSAY_SUBSCRIPTION_ID="y")

    assert [p.split(" is ")[0] for p in found] == ["ASSAY_SUBSCRIPTION_ID", "ASSAY_LOOK_SECONDS"]


def test_storage_is_reached_with_an_identity_unless_a_connection_string_is_given() -> None:
    environ = {
        **APP_ENVIRON,
        "AzureWebJobsStorage": "",
        "AzureWebJobsStorage__tableServiceUri": "https://s.table.core.windows.net",
        "AzureWebJobsStorage__queueServiceUri": "https://s.queue.core.windows.net",
        "AzureWebJobsStorage__blobServiceUri": "https://s.blob.core.windows.net",
        "AzureWebJobsStorage__clientId": "client",
    }

    settings = settings_from_environ(environ)

    assert settings.storage.connection_string == ""
    assert settings.storage.table_uri == "https://s.table.core.windows.net"
    assert settings.identity_client_id == "client"


def test_a_connection_string_is_not_shown_in_logs() -> None:
    settings = settings_from_environ({**APP_ENVIRON, "AzureWebJobsStorage": "AccountKey=secret"})

    assert "secret" not in repr(settings)
