"""watch_build: look how far Image Builder is, and ask for the run when the template is ready."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.build import Attempt, Build, Phase
from shared.domain.build_progress import NextMove, Progress, read_progress
from shared.domain.failure import Failure, FailureClass, classify
from shared.domain.identifiers import normalise_id
from shared.errors import RefusedError, UnavailableError
from shared.factory.definitions import definition_named
from shared.factory.turns import Repeat, give_up_attempt, go, take_turn
from shared.messages import Message, WatchBuild
from shared.ports import Builds, Definitions, Gallery, ImageBuilder, Pace, Stored, TemplateStatus

RUN_PATIENCE_LOOKS = 3
"""A run that was asked for shows itself within this many looks, else it is asked for again."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """One look at one build, and its ways to end."""

    stored: Stored[Build]
    builds: Builds
    pace: Pace
    now: datetime

    @property
    def attempt(self) -> Attempt:
        return self.stored.value.attempt

    async def again(self, words: str, *, run_requested: bool = False) -> list[Message]:
        requested_at = self.now if run_requested else self.attempt.run_requested_at
        attempt = replace(self.attempt, progress=words, run_requested_at=requested_at)
        return await go(
            self.stored,
            Phase.BUILDING,
            builds=self.builds,
            now=self.now,
            wait=self.pace.look,
            attempt=attempt,
        )

    async def failed(self, failure: Failure) -> list[Message]:
        return await give_up_attempt(self.stored, failure, builds=self.builds, now=self.now)


async def watch_build(
    command: WatchBuild,
    *,
    definitions: Definitions,
    builds: Builds,
    image_builder: ImageBuilder,
    gallery: Gallery,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Take one look; a status that cannot be read is no failure until the build's time is up."""
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    watch = _Watch(stored, builds, pace, now)
    definition = definition_named(definitions, stored.value.definition)
    limit = timedelta(minutes=definition.build_timeout_minutes) + pace.blind
    overdue = now > watch.attempt.started_at + limit
    try:
        status = await image_builder.status(watch.attempt.template)
    except UnavailableError as error:
        return await (
            _give_up(watch, image_builder, gallery) if overdue else watch.again(f"blind: {error}")
        )
    if status is None:
        message = f"template {watch.attempt.template} is gone: somebody deleted it"
        return await watch.failed(Failure(failure_class=FailureClass.SERVICE, message=message))
    progress = _read(status, watch)
    if progress.move is NextMove.WAIT and overdue:
        return await _give_up(watch, image_builder, gallery)
    return await _move(watch, progress, image_builder, gallery)


def _read(status: TemplateStatus, watch: _Watch) -> Progress:
    return read_progress(
        provisioning_state=status.provisioning_state,
        provisioning_failure=status.provisioning_failure,
        run_state=status.run_state,
        run_sub_state=status.run_sub_state,
        run_failure=status.run_failure,
        run_requested_at=watch.attempt.run_requested_at,
        patience=watch.pace.look * RUN_PATIENCE_LOOKS,
        now=watch.now,
    )


async def _move(
    watch: _Watch, progress: Progress, image_builder: ImageBuilder, gallery: Gallery
) -> list[Message]:
    match progress.move:
        case NextMove.WAIT:
            return await watch.again(progress.words)
        case NextMove.RUN:
            return await _run(watch, image_builder)
        case NextMove.COLLECT:
            return await _collect(watch, progress, image_builder, gallery)
        case NextMove.FAIL:
            return await watch.failed(progress.failure or classify("", progress.words))


async def _run(watch: _Watch, image_builder: ImageBuilder) -> list[Message]:
    try:
        await image_builder.run(watch.attempt.template)
    except UnavailableError:
        return await watch.again("run requested, not confirmed", run_requested=True)
    except RefusedError as error:
        return await watch.failed(classify("", str(error)))
    return await watch.again("run requested", run_requested=True)


async def _collect(
    watch: _Watch, progress: Progress, image_builder: ImageBuilder, gallery: Gallery
) -> list[Message]:
    """See what the run distributed; without a version it failed, whatever its state says."""
    output = await image_builder.output(watch.attempt.template)
    expected = f"{watch.stored.value.image_id}/versions/{watch.attempt.version}"
    if output is None and await gallery.version(watch.stored.value.image_id, watch.attempt.version):
        output = expected  # replication outlives a run that timed out, and its output comes late
    if output is None:
        message = f"the run ended {progress.words} and distributed nothing"
        return await watch.failed(progress.failure or classify("", message))
    if normalise_id(output) != normalise_id(expected):
        message = f"the run distributed {output} where {expected} was asked for"
        return await watch.failed(
            Failure(failure_class=FailureClass.CONFIGURATION, message=message)
        )
    return await go(
        watch.stored,
        Phase.TATTOOING,
        builds=watch.builds,
        now=watch.now,
        because=f"Image Builder distributed {watch.attempt.version} ({progress.words})",
        attempt=replace(watch.attempt, progress=progress.words, ended_at=watch.now),
    )


async def _give_up(watch: _Watch, image_builder: ImageBuilder, gallery: Gallery) -> list[Message]:
    """Time is up: take the version if there is one, else the attempt failed."""
    message = "timed out: Image Builder did not end the run in the build's time"
    timeout = Failure(failure_class=FailureClass.TIMEOUT, message=message)
    progress = Progress(move=NextMove.COLLECT, words="timed out", failure=timeout)
    try:
        return await _collect(watch, progress, image_builder, gallery)
    except UnavailableError:
        return await watch.failed(timeout)
