"""Running a step: its ports by parameter name, races run again, what follows sent last."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from shared.errors import ConflictError, PermanentError, RetryableError
from shared.factory.approve_image import approve_image
from shared.factory.attest_image import attest_image
from shared.factory.cancel_build import cancel_build
from shared.factory.clean_up_build import clean_up_build
from shared.factory.detect_source import detect_source
from shared.factory.hurry_build import hurry_build
from shared.factory.move_channel import move_channel
from shared.factory.notify_people import notify_people
from shared.factory.pause_definition import pause_definition
from shared.factory.promote_image import promote_image
from shared.factory.publish_image import publish_image
from shared.factory.rebuild_children import rebuild_children
from shared.factory.record_outcome import record_outcome
from shared.factory.repair_image import repair_image
from shared.factory.restore_version import restore_version
from shared.factory.resume_definition import resume_definition
from shared.factory.retire_images import retire_images
from shared.factory.retire_version import retire_version
from shared.factory.revoke_version import revoke_version
from shared.factory.start_attempt import start_attempt
from shared.factory.start_build import start_build
from shared.factory.stop_build import stop_build
from shared.factory.tattoo_image import tattoo_image
from shared.factory.verify_image import verify_image
from shared.factory.verify_source import verify_source
from shared.factory.watch_build import watch_build
from shared.factory.watch_gallery import watch_gallery
from shared.fleet.attest_vm import attest_vm
from shared.fleet.find_old_history import find_old_history
from shared.fleet.judge_image_users import judge_image_users
from shared.fleet.judge_vm import judge_vm
from shared.fleet.read_tattoo import read_tattoo
from shared.fleet.record_policy_state import record_policy_state
from shared.fleet.remove_exports import remove_exports
from shared.fleet.settle_drift import settle_drift
from shared.fleet.sweep_fleet import sweep_fleet
from shared.fleet.sweep_policy import sweep_policy
from shared.fleet.sweep_policy_states import sweep_policy_states
from shared.fleet.sweep_subscriptions import sweep_subscriptions
from shared.fleet.take_snapshot import take_snapshot
from shared.fleet.track_image_version import track_image_version
from shared.fleet.track_vm import track_vm
from shared.fleet.trim_history import trim_history
from shared.fleet.write_export import write_export
from shared.messages import Announcement, Command, Delayed, Envelope, Message
from shared.ports import Outbox, Pace
from shared.telemetry import log_step

type StepFunction = Callable[..., Awaitable[list[Message]]]

STEP_FUNCTIONS: dict[str, StepFunction] = {
    f.__name__: f
    for f in (
        detect_source, start_build, start_attempt, watch_build, hurry_build, tattoo_image,
        verify_source, record_outcome, pause_definition, resume_definition,
        verify_image, attest_image, repair_image, publish_image, promote_image, move_channel,
        approve_image, revoke_version, restore_version, retire_version, retire_images,
        watch_gallery, clean_up_build,
        cancel_build, stop_build, notify_people, rebuild_children,
        track_image_version, track_vm, record_policy_state, judge_image_users, judge_vm,
        read_tattoo,
        attest_vm,
        sweep_fleet, sweep_subscriptions, settle_drift,
        take_snapshot, write_export, remove_exports,
        sweep_policy, sweep_policy_states,
        find_old_history, trim_history,
    )
}  # fmt: skip

LOST_RACES = 3
"""A step that loses a race for a record is run again at once this often, then put off."""


@cache
def ports_of(step: StepFunction) -> tuple[str, ...]:
    """Return the names of what a step asks for besides its command: ports, and `now`."""
    return tuple(inspect.signature(step).parameters)[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Runs steps; *ports* holds every port under its parameter name."""

    ports: Mapping[str, Any]
    outbox: Outbox
    pace: Pace
    clock: Callable[[], datetime]

    async def deliver(self, envelope: Envelope) -> None:
        """Run the step and send what follows; put the message off when Azure cannot do it now.

        Raises PermanentError when the step never will, and any unknown error.
        """
        started, command = self.clock(), envelope.command
        follows: list[Message] = []
        outcome, detail = "failed", ""
        try:
            follows = await self._step(command)
            await self.send(follows, envelope.correlation_id)
            outcome = "done"
        except RetryableError as error:
            if envelope.tries >= error.most_tries:
                raise PermanentError(f"given up after {envelope.tries} tries: {error}") from error
            outcome, detail = "put-off", str(error)
            await self._put_off(envelope, error)
        finally:
            log_step(
                command.kind,
                outcome,
                correlation_id=envelope.correlation_id,
                subject=_subject(command),
                started=started,
                ended=self.clock(),
                follows=[_name(m) for m in follows],
                detail=detail,
            )

    async def run(self, command: Command, *, correlation_id: str) -> None:
        """Run the step of *command* here and now, and send what follows; errors are raised."""
        await self.send(await self._step(command), correlation_id)

    async def enqueue(self, envelope: Envelope) -> None:
        """Put a message into the queue of its step."""
        await self.outbox.send(
            envelope.command, correlation_id=envelope.correlation_id, delay=timedelta()
        )

    async def send(self, messages: Sequence[Message], correlation_id: str) -> None:
        """Put the commands among *messages* into their queues, then publish the announcements.

        In this order: work must not wait for a topic that cannot be reached.
        """
        for message in messages:
            if isinstance(message, Delayed):
                await self.outbox.send(
                    message.command, correlation_id=correlation_id, delay=message.delay
                )
            elif isinstance(message, Command):
                await self.outbox.send(message, correlation_id=correlation_id, delay=timedelta())
        announcements = [m for m in messages if isinstance(m, Announcement)]
        if announcements:
            await self.outbox.announce(announcements)

    async def _step(self, command: Command) -> list[Message]:
        step = STEP_FUNCTIONS[command.kind]
        return await despite_races(lambda: step(command, **self._arguments(step)))

    def _arguments(self, step: StepFunction) -> dict[str, Any]:
        at_hand = {**self.ports, "now": self.clock()}
        return {name: at_hand[name] for name in ports_of(step)}

    async def _put_off(self, envelope: Envelope, error: RetryableError) -> None:
        backoff = min(self.pace.look / 10 * 2 ** min(envelope.tries, 10), self.pace.look * 10)
        await self.outbox.send(
            envelope.command,
            correlation_id=envelope.correlation_id,
            delay=max(error.after or timedelta(), backoff),
            tries=envelope.tries + 1,
        )


async def despite_races[T](work: Callable[[], Awaitable[T]]) -> T:
    """Do *work*, and again when another delivery was faster: it loads and decides anew.

    Raises ConflictError when it has lost too often.
    """
    for _ in range(LOST_RACES - 1):
        try:
            return await work()
        except ConflictError:
            continue  # the record has changed, so the next round decides on other facts
    return await work()


def _name(message: Message) -> str:
    if isinstance(message, Announcement):
        return f"Assay.{message.name}"
    return message.command.kind if isinstance(message, Delayed) else message.kind


def _subject(command: Command) -> str:
    """Return what the message is about, for the log."""
    for name in (
        "build_id", "definition", "resource_id", "template", "image_id", "vm_key", "sweep_id",
        "export_id", "at", "subscription_id",
    ):  # fmt: skip
        if value := getattr(command, name, ""):
            return str(value)
    keys = getattr(command, "vm_keys", ())
    return f"{len(keys)} VMs"
