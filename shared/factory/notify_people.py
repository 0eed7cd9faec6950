"""notify_people: tell people in their chat channel of an event Assay announced."""

from datetime import datetime

from shared.factory.notes import note_of
from shared.messages import Message, NotifyPeople
from shared.ports import Notifier, Receipt, Receipts


async def notify_people(
    command: NotifyPeople, *, notifier: Notifier, receipts: Receipts, now: datetime
) -> list[Message]:
    """Post one event, unless it was posted already.

    Events come more than once, under the same id: a receipt keeps the repeats of a day away. A
    crash between posting and keeping it may still post twice; nothing is ever lost to it. A
    channel that does not answer is tried again by the queue and holds up nobody else.
    """
    key = f"notified {command.event_id}"
    if await receipts.get(key, now=now):
        return []
    await notifier.tell(note_of(command.event, command.subject, command.data))
    await receipts.keep(Receipt(key=key, fingerprint="", at=now))
    return []
