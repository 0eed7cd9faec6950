"""Taking messages and events in: read, hand to the step, and park what cannot be done."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.dispatch import Dispatcher, despite_races
from shared.domain.identifiers import digest
from shared.errors import BadMessageError, PermanentError
from shared.events import route
from shared.factory.abandon_build import abandon_build
from shared.messages import BuildCommand, Envelope, NotifyPeople, decode, is_envelope, load_json
from shared.ports import Builds, Definitions, Gallery, ImageVersions, Parked, ParkedMessage
from shared.telemetry import new_correlation_id
from shared.workflow import STEP_BY_NAME

_log = logging.getLogger("assay")

MAX_DELIVERIES = 5
"""The host gives a message up after this many deliveries (`maxDequeueCount` in host.json)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What the triggers call: texts of queue messages, events, and messages given up."""

    dispatcher: Dispatcher
    definitions: Definitions
    builds: Builds
    image_versions: ImageVersions
    gallery: Gallery
    parked: Parked
    clock: Callable[[], datetime]
    notifies: bool = False
    """Whether there is a chat channel; without one nobody is sent word of our events."""

    async def receive_text(self, step: str, text: str, *, deliveries: int) -> None:
        """Take the text of a message from the queue of *step*: ours, or a raw event.

        What cannot be read or never be done is parked at once, with the reason. An unknown error
        is raised, so that the host delivers the message again; on the last delivery it is parked
        first, so that an operator sees what went wrong.
        """
        queue = STEP_BY_NAME[step].queue
        try:
            for part in _parts(text):
                await self._receive_part(step, part, deliveries)
        except Exception as error:
            _log.exception("step=%s deliveries=%d", step, deliveries)
            if deliveries >= MAX_DELIVERIES:
                reason = f"{type(error).__name__}: {error}"
                await self._park(queue, text, reason=reason, tries=deliveries)
            raise

    async def _receive_part(self, step: str, text: str, deliveries: int) -> None:
        """Deliver one message or event; park it when it cannot be read or never be done."""
        try:
            for envelope in self._read(text):
                if envelope.command.kind == step:
                    await self.dispatcher.deliver(envelope)
                else:
                    await self.dispatcher.enqueue(envelope)
        except PermanentError as error:
            queue = STEP_BY_NAME[step].queue
            await self._park(queue, text, reason=str(error), tries=deliveries)

    async def receive_event(self, source: str, event: dict[str, Any]) -> None:
        """Put what an event means into the queues; one that cannot be read is parked."""
        try:
            envelopes = self._read_event(event)
        except BadMessageError as error:
            await self._park(source, json.dumps(event), reason=str(error), tries=1)
            return
        for envelope in envelopes:
            await self.dispatcher.enqueue(envelope)

    async def receive_poison(self, step: str, text: str) -> None:
        """Park a message the host gave up, under the reason known, and end its build."""
        queue = STEP_BY_NAME[step].queue
        known = await self.parked.get(_parked_id(queue, text))
        unknown = (
            f"{MAX_DELIVERIES} deliveries ended without a result: the process may have died; "
            "search the log for the correlation id"
        )
        reason = known.reason if known else unknown
        await self._park(queue, text, reason=reason, tries=MAX_DELIVERIES)

    def _read(self, text: str) -> list[Envelope]:
        payload = load_json(text)
        return [decode(payload)] if is_envelope(payload) else self._read_event(payload)

    def _read_event(self, event: Any) -> list[Envelope]:
        """Say what a raw event means for us, as messages; noise means nothing."""
        if not isinstance(event, dict):
            raise BadMessageError(
                f"a message holds {str(event)[:40]!r}, which is neither one of our messages nor "
                "an event; find out who sent it"
            )
        correlation_id = new_correlation_id()
        return [
            Envelope(command=command, correlation_id=correlation_id)
            for command in route(event, self.definitions)
            if self.notifies or not isinstance(command, NotifyPeople)
        ]

    async def _park(self, queue: str, text: str, *, reason: str, tries: int) -> None:
        """Keep a message for an operator, and end the build that waits for it, if any."""
        envelope = _envelope_or_none(text)
        message = ParkedMessage(
            id=_parked_id(queue, text),
            queue=queue,
            text=text if envelope else without_personal_data(text),
            reason=reason,
            tries=tries,
            parked_at=self.clock(),
            kind=envelope.command.kind if envelope else "",
            correlation_id=envelope.correlation_id if envelope else "",
        )
        await self.parked.park(message)
        _log.error("parked message %s of queue %s: %s", message.id, queue, reason)
        if envelope and isinstance(envelope.command, BuildCommand):
            await self._abandon(envelope.command, reason, envelope.correlation_id)

    async def _abandon(self, command: BuildCommand, reason: str, correlation_id: str) -> None:
        last_words = await despite_races(
            lambda: abandon_build(
                command.build_id,
                builds=self.builds,
                image_versions=self.image_versions,
                gallery=self.gallery,
                reason=f"step {command.kind} could not be done: {reason}",
                now=self.clock(),
            )
        )
        await self.dispatcher.send(last_words, correlation_id)


def _parts(text: str) -> list[str]:
    """Return what stands in *text*: an array holds several events, each with a fate of its own."""
    try:
        payload = load_json(text)
    except BadMessageError:
        return [text]
    return [json.dumps(part) for part in payload] if isinstance(payload, list) else [text]


def _parked_id(queue: str, text: str) -> str:
    """The same message parked twice is one parked message."""
    return digest(queue, text)


KEPT = 200
"""Characters kept of a text that is no JSON."""
_PERSONAL = frozenset({"claims", "authorization", "httprequest", "data_base64"})
"""Fields of a Microsoft.Resources event that name people and their addresses
(https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions)."""


def without_personal_data(text: str) -> str:
    """Return the text of a foreign message without the fields that name people.

    No step reads them, so the message can be replayed all the same. A text that is no JSON can
    never be replayed; of that only the start is kept.
    """
    try:
        payload = load_json(text)
    except BadMessageError:
        return text[:KEPT]  # it can never be read, and what else it holds nobody knows
    return json.dumps(_stripped(payload))


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _stripped(v) for k, v in value.items() if k.lower() not in _PERSONAL}
    if isinstance(value, list):
        return [_stripped(v) for v in value]
    return without_personal_data(value) if _holds_json(value) else value


def _holds_json(value: Any) -> bool:
    """Tell whether *value* is the text of a JSON object: old events carry their data so."""
    return isinstance(value, str) and value.lstrip().startswith("{")


def _envelope_or_none(text: str) -> Envelope | None:
    """Read our own message out of *text*; None when it is none, which is why it is parked."""
    try:
        payload = load_json(text)
        return decode(payload) if is_envelope(payload) else None
    except BadMessageError:
        return None
