"""The chat channel's address is a secret and goes nowhere but to the channel."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import SettingsError
from shared.messages import NotifyPeople
from shared.settings import settings_from_environ
from tests.fakes.world import World
from tests.settings import APP_ENVIRON
from tests.unit.factory.test_notify_people import EVENT

SECRET = "https://example.webhook.office.com/hook?sig=s3cr3t"


def _settings(**environ: str) -> Any:
    return settings_from_environ({**APP_ENVIRON, **environ})


def test_no_address_means_nobody_is_told() -> None:
    assert (_settings().notify.webhook, _settings().notify.form) == ("", "teams")


def test_an_address_is_in_no_text_of_the_settings() -> None:
    settings = _settings(ASSAY_NOTIFY_WEBHOOK=SECRET, ASSAY_NOTIFY_FORMAT="slack")
    assert (settings.notify.webhook, settings.notify.form) == (SECRET, "slack")
    assert "s3cr3t" not in repr(settings)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/hook?sig=s3cr3t",
        "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s3cr3t)",
        "s3cr3t",
    ],
)
def test_an_address_that_is_no_https_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _settings(ASSAY_NOTIFY_WEBHOOK=address)
    assert caught.value.problems == [
        "ASSAY_NOTIFY_WEBHOOK is wrong: it must be an https address (http only on this machine)."
    ]


def test_an_unknown_form_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="ASSAY_NOTIFY_FORMAT is 'irc': it must be teams or sl"):
        _settings(ASSAY_NOTIFY_FORMAT="irc")


@pytest.mark.parametrize(("given", "signs_in"), [("True", True), ("", False), ("False", False)])
def test_callers_are_known_only_where_app_service_signs_them_in(
    given: str, *, signs_in: bool
) -> None:
    assert _settings(WEBSITE_AUTH_ENABLED=given).signs_in is signs_in


@pytest.mark.parametrize("webhook", ["", SECRET])
async def test_our_events_become_messages_only_where_there_is_a_channel(webhook: str) -> None:
    world = World()
    runtime = world.runtime()
    notify = replace(runtime.settings.notify, webhook=webhook)
    runtime = replace(runtime, settings=replace(runtime.settings, notify=notify))
    await runtime.intake.receive_event("receive_assay_event", json.loads(json.dumps(EVENT)))
    assert [type(c) for c in world.outbox.commands] == ([NotifyPeople] if webhook else [])
