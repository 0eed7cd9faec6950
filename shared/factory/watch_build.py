"""watch_build: look how far Image Builder is, and ask for the run when the template is ready."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.build import Attempt, Build, Phase
from shared.domain.build_progress import NextMove, Progress, read_progress
from shared.domain.failure import Failure, FailureClass, classify
from shared.domain.identifiers import normalise_id
from shared.domain.run_history import remarked
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
    attempt: Attempt
    """The present attempt, with what this look saw of it."""

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
        return await give_up_attempt(
            self.stored, failure, builds=self.builds, now=self.now, attempt=self.attempt
        )

    def with_status(self, status: TemplateStatus) -> "_Watch":
        """Return the watch with what Image Builder says noted in the attempt."""
        return replace(self, attempt=noted(self.attempt, status, self.now))


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
    watch = _Watch(stored, builds, pace, now, stored.value.attempt)
    definition = definition_named(definitions, stored.value.definition)
    minutes = watch.attempt.timeout_minutes or definition.build_timeout_minutes
    limit = timedelta(minutes=minutes) + pace.blind
    overdue = now > watch.attempt.started_at + limit
    try:
        status = await image_builder.status(watch.attempt.template)
    except UnavailableError as error:
        if overdue:
            return await _give_up(watch, image_builder, gallery)
        return await watch.again(f"blind: {error}")
    if status is None:
        message = f"template {watch.attempt.template} is gone: somebody deleted it"
        return await watch.failed(Failure(failure_class=FailureClass.SERVICE, message=message))
    watch = watch.with_status(status)
    progress = _read(status, watch)
    if progress.move is NextMove.WAIT and overdue:
        return await _give_up(watch, image_builder, gallery)
    return await _move(watch, progress, image_builder, gallery)


def noted(attempt: Attempt, status: TemplateStatus, now: datetime) -> Attempt:
    """Return *attempt* with the step Image Builder is at and what it said."""
    step = status.run_sub_state or status.run_state
    if not status.run_state:
        ready = status.provisioning_state.lower() == "succeeded"
        step = "starting run" if ready else "creating template"
    failure = status.provisioning_failure
    said = status.run_message or (failure.message if failure else "")
    return replace(
        attempt,
        step=step.lower(),
        remarks=remarked(attempt.remarks, said, now),
        staging_group=status.staging_group or attempt.staging_group,
    ).at_step(Phase.BUILDING, now)


def _stuck(watch: _Watch, status: TemplateStatus) -> Failure | None:
    """Return that the run is canceling and will not end; None while it still may.

    Users saw it last for days (https://github.com/danielsollondon/azvmimagebuilder/issues/48).
    Nothing can be done with such a template, so it is left alone and the next attempt has another.
    """
    since = watch.attempt.spans[-1].since
    if status.run_state.lower() != "canceling" or watch.now <= since + watch.pace.blind:
        return None
    message = f"template {watch.attempt.template} is canceling since {since:%H:%M}: abandoned"
    return Failure(failure_class=FailureClass.SERVICE, message=message)


def _read(status: TemplateStatus, watch: _Watch) -> Progress:
    if stuck := _stuck(watch, status):
        return Progress(move=NextMove.FAIL, words="stuck", failure=stuck)
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
    """See what the run distributed; without a version it failed, whatever its state says.

    Replication goes on when Image Builder's time is up: the version is then in the gallery
    although the run says nothing of it.
    """
    output = await image_builder.output(watch.attempt.template)
    expected = f"{watch.stored.value.image_id}/versions/{watch.attempt.version}"
    if output is None and await _is_replicating(watch, progress, gallery):
        output = expected
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


async def _is_replicating(watch: _Watch, progress: Progress, gallery: Gallery) -> bool:
    failure = progress.failure
    if failure and failure.failure_class is FailureClass.CANCELLED:
        return False
    image_id, version = watch.stored.value.image_id, watch.attempt.version
    return await gallery.version(image_id, version) is not None


async def _give_up(watch: _Watch, image_builder: ImageBuilder, gallery: Gallery) -> list[Message]:
    """Time is up: take the version if there is one, else the attempt failed."""
    message = "timed out: Image Builder did not end the run in the build's time"
    timeout = Failure(failure_class=FailureClass.TIMEOUT, message=message)
    progress = Progress(move=NextMove.COLLECT, words="timed out", failure=timeout)
    try:
        return await _collect(watch, progress, image_builder, gallery)
    except UnavailableError:
        return await watch.failed(timeout)
