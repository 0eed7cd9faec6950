"""The consent a webhook must give before Event Grid sends it anything."""

import json
import uuid
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp

from localcloud.arm.ids import seven_digits
from localcloud.arm.subscriptions import EventSubscription
from localcloud.errors import LocalCloudError

ORIGIN = "eventgrid.azure.net"


class HandshakeError(LocalCloudError):
    """A webhook did not consent, so nothing can be delivered to it."""


async def shake_hands(session: aiohttp.ClientSession, subscription: EventSubscription) -> None:
    """Do the handshake of the subscription's schema; raises HandshakeError on refusal.

    Azure docs: "Endpoint validation with Event Grid event schema" and "... with CloudEvents
    schema".
    """
    if subscription.schema == "cloudevents":
        await _with_options(session, subscription)
    else:
        await _with_event(session, subscription)


async def _with_options(session: aiohttp.ClientSession, subscription: EventSubscription) -> None:
    headers = {"WebHook-Request-Origin": ORIGIN, "WebHook-Request-Rate": "120"}
    url = str(subscription.endpoint_url)
    async with session.options(url, headers=headers) as response:
        allowed = response.headers.get("WebHook-Allowed-Origin", "")
        if response.status >= HTTPStatus.BAD_REQUEST or allowed not in {"*", ORIGIN}:
            raise HandshakeError(
                f"{url} answered OPTIONS with {response.status} and "
                f"WebHook-Allowed-Origin '{allowed}'; '{ORIGIN}' or '*' is needed."
            )


async def _with_event(session: aiohttp.ClientSession, subscription: EventSubscription) -> None:
    code = str(uuid.uuid4())
    url = str(subscription.endpoint_url)
    event = {
        "id": str(uuid.uuid4()),
        "topic": f"/subscriptions/{uuid.UUID(int=0)}",
        "subject": "",
        "data": {"validationCode": code},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": seven_digits(datetime.now(UTC)),
        "metadataVersion": "1",
        "dataVersion": "1",
    }
    headers = {
        "aeg-event-type": "SubscriptionValidation",
        "aeg-subscription-name": subscription.name.upper(),
        "Content-Type": "application/json; charset=utf-8",
    }
    async with session.post(url, data=json.dumps([event]), headers=headers) as response:
        text = await response.text()
        if response.status != HTTPStatus.OK or code not in text:
            raise HandshakeError(
                f"{url} answered the validation event with {response.status}; "
                "200 with the validationResponse is needed."
            )
