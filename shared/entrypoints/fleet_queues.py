"""Queue triggers of the track flow: one function per step.

The names, the queues and the steps are those of `shared/workflow.py`; a test holds them together.
"""

import azure.functions as func

from shared.entrypoints.receive import STORAGE, receive

bp = func.Blueprint()


@bp.function_name("track_image_version")
@bp.queue_trigger(arg_name="message", queue_name="track-image-version", connection=STORAGE)
async def track_image_version(message: func.QueueMessage) -> None:
    """Deliver a `track-image-version` message to its step."""
    await receive("track_image_version", message)


@bp.function_name("track_vm")
@bp.queue_trigger(arg_name="message", queue_name="track-vm", connection=STORAGE)
async def track_vm(message: func.QueueMessage) -> None:
    """Deliver a `track-vm` message to its step."""
    await receive("track_vm", message)


@bp.function_name("record_policy_state")
@bp.queue_trigger(arg_name="message", queue_name="record-policy-state", connection=STORAGE)
async def record_policy_state(message: func.QueueMessage) -> None:
    """Deliver a `record-policy-state` message to its step."""
    await receive("record_policy_state", message)


@bp.function_name("judge_image_users")
@bp.queue_trigger(arg_name="message", queue_name="judge-image-users", connection=STORAGE)
async def judge_image_users(message: func.QueueMessage) -> None:
    """Deliver a `judge-image-users` message to its step."""
    await receive("judge_image_users", message)


@bp.function_name("judge_vm")
@bp.queue_trigger(arg_name="message", queue_name="judge-vm", connection=STORAGE)
async def judge_vm(message: func.QueueMessage) -> None:
    """Deliver a `judge-vm` message to its step."""
    await receive("judge_vm", message)


@bp.function_name("sweep_policy")
@bp.queue_trigger(arg_name="message", queue_name="sweep-policy", connection=STORAGE)
async def sweep_policy(message: func.QueueMessage) -> None:
    """Deliver a `sweep-policy` message to its step."""
    await receive("sweep_policy", message)


@bp.function_name("sweep_policy_states")
@bp.queue_trigger(arg_name="message", queue_name="sweep-policy-states", connection=STORAGE)
async def sweep_policy_states(message: func.QueueMessage) -> None:
    """Deliver a `sweep-policy-states` message to its step."""
    await receive("sweep_policy_states", message)


@bp.function_name("attest_vm")
@bp.queue_trigger(arg_name="message", queue_name="attest-vm", connection=STORAGE)
async def attest_vm(message: func.QueueMessage) -> None:
    """Deliver an `attest-vm` message to its step."""
    await receive("attest_vm", message)


@bp.function_name("read_tattoo")
@bp.queue_trigger(arg_name="message", queue_name="read-tattoo", connection=STORAGE)
async def read_tattoo(message: func.QueueMessage) -> None:
    """Deliver a `read-tattoo` message to its step."""
    await receive("read_tattoo", message)


@bp.function_name("sweep_fleet")
@bp.queue_trigger(arg_name="message", queue_name="sweep-fleet", connection=STORAGE)
async def sweep_fleet(message: func.QueueMessage) -> None:
    """Deliver a `sweep-fleet` message to its step."""
    await receive("sweep_fleet", message)


@bp.function_name("sweep_subscriptions")
@bp.queue_trigger(arg_name="message", queue_name="sweep-subscriptions", connection=STORAGE)
async def sweep_subscriptions(message: func.QueueMessage) -> None:
    """Deliver a `sweep-subscriptions` message to its step."""
    await receive("sweep_subscriptions", message)


@bp.function_name("settle_drift")
@bp.queue_trigger(arg_name="message", queue_name="settle-drift", connection=STORAGE)
async def settle_drift(message: func.QueueMessage) -> None:
    """Deliver a `settle-drift` message to its step."""
    await receive("settle_drift", message)


@bp.function_name("take_snapshot")
@bp.queue_trigger(arg_name="message", queue_name="take-snapshot", connection=STORAGE)
async def take_snapshot(message: func.QueueMessage) -> None:
    """Deliver a `take-snapshot` message to its step."""
    await receive("take_snapshot", message)


@bp.function_name("write_export")
@bp.queue_trigger(arg_name="message", queue_name="write-export", connection=STORAGE)
async def write_export(message: func.QueueMessage) -> None:
    """Deliver a `write-export` message to its step."""
    await receive("write_export", message)


@bp.function_name("remove_exports")
@bp.queue_trigger(arg_name="message", queue_name="remove-exports", connection=STORAGE)
async def remove_exports(message: func.QueueMessage) -> None:
    """Deliver a `remove-exports` message to its step."""
    await receive("remove_exports", message)


@bp.function_name("find_old_history")
@bp.queue_trigger(arg_name="message", queue_name="find-old-history", connection=STORAGE)
async def find_old_history(message: func.QueueMessage) -> None:
    """Deliver a `find-old-history` message to its step."""
    await receive("find_old_history", message)


@bp.function_name("trim_history")
@bp.queue_trigger(arg_name="message", queue_name="trim-history", connection=STORAGE)
async def trim_history(message: func.QueueMessage) -> None:
    """Deliver a `trim-history` message to its step."""
    await receive("trim_history", message)
