"""The chat channel people are told in: an incoming webhook of Teams or Slack.

The webhook's address is a secret, so it is in no error, no log and no repr.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING

from shared.domain.retry_after import retry_after
from shared.errors import RefusedError, ThrottledError, UnavailableError
from shared.gateways.cards import slack_message, teams_message
from shared.ports import Note
from shared.settings import Settings

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

_SECONDS = 15
"""How long the channel may take to answer."""
_LONGEST = 200
"""Characters of the channel's own words in an error of ours."""


class WebhookNotifier:
    """Posts notes to the webhook of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: ClientSession | None = None

    async def tell(self, note: Note) -> None:
        """Post *note*; nothing is posted where no webhook is set.

        Raises ThrottledError for 429, UnavailableError for 408, 5xx, timeouts and broken
        connections, RefusedError for any other answer but a success. Redirects are not followed:
        they would carry the note where nobody said it should go.
        """
        notify = self._settings.notify
        if not notify.webhook:
            return
        shape = slack_message if notify.form == "slack" else teams_message
        await self._post(notify.webhook, shape(note, self._url(note)), notify.form)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    def _url(self, note: Note) -> str:
        base = self._settings.public_url
        return f"{base}/api/v1/{note.path}" if base and note.path else ""

    async def _post(self, webhook: str, message: object, form: str) -> None:
        import aiohttp  # noqa: PLC0415 - loads on first use

        if self._session is None:
            patience = aiohttp.ClientTimeout(total=_SECONDS)
            self._session = aiohttp.ClientSession(timeout=patience)
        failure = ""
        try:
            async with self._session.post(webhook, json=message, allow_redirects=False) as response:
                await _must_be_taken(response, form)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = type(error).__name__  # its words may hold the address
        if failure:
            raise UnavailableError(
                f"the {form} webhook could not be reached ({failure}); it is tried again"
            )


async def _must_be_taken(response: "ClientResponse", form: str) -> None:
    status = response.status
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return
    said = (await response.text(errors="replace"))[:_LONGEST]
    text = f"the {form} webhook said {status} ({said})"
    wait = retry_after(response.headers)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ThrottledError(f"{text}; it is tried again later", after=wait)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        raise UnavailableError(f"{text}; it is tried again later", after=wait)
    raise RefusedError(f"{text}; check ASSAY_NOTIFY_WEBHOOK and ASSAY_NOTIFY_FORMAT")
