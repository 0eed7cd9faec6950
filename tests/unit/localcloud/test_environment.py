"""The environment the local cloud gives the app."""

from datetime import timedelta

from localcloud.environment import Addresses, app_environment
from shared.settings import settings_from_environ

ADDRESSES = Addresses(
    storage="UseDevelopmentStorage=true",
    arm="http://127.0.0.1:7072",
    functions="http://127.0.0.1:7071",
)


def test_the_app_reads_its_settings_from_it() -> None:
    settings = settings_from_environ(app_environment(ADDRESSES, time_scale=60))

    assert settings.arm_endpoint == "http://127.0.0.1:7072"
    assert settings.topic_endpoint == "http://127.0.0.1:7072/topics/assay/api/events"
    assert settings.public_url == "http://127.0.0.1:7071"
    assert settings.storage.connection_string == "UseDevelopmentStorage=true"


def test_waits_shrink_with_the_time_scale() -> None:
    pace = settings_from_environ(app_environment(ADDRESSES, time_scale=60)).pace

    assert (pace.look, pace.retry) == (timedelta(seconds=1), timedelta(seconds=30))


def test_waits_never_shrink_below_what_messages_need() -> None:
    pace = settings_from_environ(app_environment(ADDRESSES, time_scale=1000)).pace

    assert (pace.look, pace.grace) == (timedelta(seconds=0.5), timedelta(seconds=5))
