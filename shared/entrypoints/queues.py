"""Queue triggers of the publish flow: one function per step.

The names, the queues and the steps are those of `shared/workflow.py`; a test holds them together.
"""

import azure.functions as func

from shared.entrypoints.receive import STORAGE, receive

bp = func.Blueprint()


@bp.function_name("detect_source")
@bp.queue_trigger(arg_name="message", queue_name="detect-source", connection=STORAGE)
async def detect_source(message: func.QueueMessage) -> None:
    """Deliver a `detect-source` message to its step."""
    await receive("detect_source", message)


@bp.function_name("start_build")
@bp.queue_trigger(arg_name="message", queue_name="start-build", connection=STORAGE)
async def start_build(message: func.QueueMessage) -> None:
    """Deliver a `start-build` message to its step."""
    await receive("start_build", message)


@bp.function_name("verify_source")
@bp.queue_trigger(arg_name="message", queue_name="verify-source", connection=STORAGE)
async def verify_source(message: func.QueueMessage) -> None:
    """Deliver a `verify-source` message to its step."""
    await receive("verify_source", message)


@bp.function_name("start_attempt")
@bp.queue_trigger(arg_name="message", queue_name="start-attempt", connection=STORAGE)
async def start_attempt(message: func.QueueMessage) -> None:
    """Deliver a `start-attempt` message to its step."""
    await receive("start_attempt", message)


@bp.function_name("watch_build")
@bp.queue_trigger(arg_name="message", queue_name="watch-build", connection=STORAGE)
async def watch_build(message: func.QueueMessage) -> None:
    """Deliver a `watch-build` message to its step."""
    await receive("watch_build", message)


@bp.function_name("hurry_build")
@bp.queue_trigger(arg_name="message", queue_name="hurry-build", connection=STORAGE)
async def hurry_build(message: func.QueueMessage) -> None:
    """Deliver a `hurry-build` message to its step."""
    await receive("hurry_build", message)


@bp.function_name("tattoo_image")
@bp.queue_trigger(arg_name="message", queue_name="tattoo-image", connection=STORAGE)
async def tattoo_image(message: func.QueueMessage) -> None:
    """Deliver a `tattoo-image` message to its step."""
    await receive("tattoo_image", message)


@bp.function_name("verify_image")
@bp.queue_trigger(arg_name="message", queue_name="verify-image", connection=STORAGE)
async def verify_image(message: func.QueueMessage) -> None:
    """Deliver a `verify-image` message to its step."""
    await receive("verify_image", message)


@bp.function_name("attest_image")
@bp.queue_trigger(arg_name="message", queue_name="attest-image", connection=STORAGE)
async def attest_image(message: func.QueueMessage) -> None:
    """Deliver an `attest-image` message to its step."""
    await receive("attest_image", message)


@bp.function_name("repair_image")
@bp.queue_trigger(arg_name="message", queue_name="repair-image", connection=STORAGE)
async def repair_image(message: func.QueueMessage) -> None:
    """Deliver a `repair-image` message to its step."""
    await receive("repair_image", message)


@bp.function_name("publish_image")
@bp.queue_trigger(arg_name="message", queue_name="publish-image", connection=STORAGE)
async def publish_image(message: func.QueueMessage) -> None:
    """Deliver a `publish-image` message to its step."""
    await receive("publish_image", message)


@bp.function_name("promote_image")
@bp.queue_trigger(arg_name="message", queue_name="promote-image", connection=STORAGE)
async def promote_image(message: func.QueueMessage) -> None:
    """Deliver a `promote-image` message to its step."""
    await receive("promote_image", message)


@bp.function_name("move_channel")
@bp.queue_trigger(arg_name="message", queue_name="move-channel", connection=STORAGE)
async def move_channel(message: func.QueueMessage) -> None:
    """Deliver a `move-channel` message to its step."""
    await receive("move_channel", message)


@bp.function_name("approve_image")
@bp.queue_trigger(arg_name="message", queue_name="approve-image", connection=STORAGE)
async def approve_image(message: func.QueueMessage) -> None:
    """Deliver an `approve-image` message to its step."""
    await receive("approve_image", message)


@bp.function_name("revoke_version")
@bp.queue_trigger(arg_name="message", queue_name="revoke-version", connection=STORAGE)
async def revoke_version(message: func.QueueMessage) -> None:
    """Deliver a `revoke-version` message to its step."""
    await receive("revoke_version", message)


@bp.function_name("restore_version")
@bp.queue_trigger(arg_name="message", queue_name="restore-version", connection=STORAGE)
async def restore_version(message: func.QueueMessage) -> None:
    """Deliver a `restore-version` message to its step."""
    await receive("restore_version", message)


@bp.function_name("retire_version")
@bp.queue_trigger(arg_name="message", queue_name="retire-version", connection=STORAGE)
async def retire_version(message: func.QueueMessage) -> None:
    """Deliver a `retire-version` message to its step."""
    await receive("retire_version", message)


@bp.function_name("retire_images")
@bp.queue_trigger(arg_name="message", queue_name="retire-images", connection=STORAGE)
async def retire_images(message: func.QueueMessage) -> None:
    """Deliver a `retire-images` message to its step."""
    await receive("retire_images", message)


@bp.function_name("watch_gallery")
@bp.queue_trigger(arg_name="message", queue_name="watch-gallery", connection=STORAGE)
async def watch_gallery(message: func.QueueMessage) -> None:
    """Deliver a `watch-gallery` message to its step."""
    await receive("watch_gallery", message)


@bp.function_name("clean_up_build")
@bp.queue_trigger(arg_name="message", queue_name="clean-up-build", connection=STORAGE)
async def clean_up_build(message: func.QueueMessage) -> None:
    """Deliver a `clean-up-build` message to its step."""
    await receive("clean_up_build", message)


@bp.function_name("record_outcome")
@bp.queue_trigger(arg_name="message", queue_name="record-outcome", connection=STORAGE)
async def record_outcome(message: func.QueueMessage) -> None:
    """Deliver a `record-outcome` message to its step."""
    await receive("record_outcome", message)


@bp.function_name("pause_definition")
@bp.queue_trigger(arg_name="message", queue_name="pause-definition", connection=STORAGE)
async def pause_definition(message: func.QueueMessage) -> None:
    """Deliver a `pause-definition` message to its step."""
    await receive("pause_definition", message)


@bp.function_name("resume_definition")
@bp.queue_trigger(arg_name="message", queue_name="resume-definition", connection=STORAGE)
async def resume_definition(message: func.QueueMessage) -> None:
    """Deliver a `resume-definition` message to its step."""
    await receive("resume_definition", message)


@bp.function_name("rebuild_children")
@bp.queue_trigger(arg_name="message", queue_name="rebuild-children", connection=STORAGE)
async def rebuild_children(message: func.QueueMessage) -> None:
    """Deliver a `rebuild-children` message to its step."""
    await receive("rebuild_children", message)


@bp.function_name("cancel_build")
@bp.queue_trigger(arg_name="message", queue_name="cancel-build", connection=STORAGE)
async def cancel_build(message: func.QueueMessage) -> None:
    """Deliver a `cancel-build` message to its step."""
    await receive("cancel_build", message)


@bp.function_name("stop_build")
@bp.queue_trigger(arg_name="message", queue_name="stop-build", connection=STORAGE)
async def stop_build(message: func.QueueMessage) -> None:
    """Deliver a `stop-build` message to its step."""
    await receive("stop_build", message)


@bp.function_name("notify_people")
@bp.queue_trigger(arg_name="message", queue_name="notify-people", connection=STORAGE)
async def notify_people(message: func.QueueMessage) -> None:
    """Deliver a `notify-people` message to its step."""
    await receive("notify_people", message)
