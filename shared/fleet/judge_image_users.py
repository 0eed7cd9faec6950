"""judge_image_users: have every VM that runs an image judged again, a page at a time."""

from dataclasses import replace

from shared.domain.identifiers import normalise_id
from shared.messages import JudgeImageUsers, JudgeVm, Message
from shared.ports import Vms

PAGE = 100
"""VMs in one message: about 7 KB of keys, and a second or two of work."""


async def judge_image_users(command: JudgeImageUsers, *, vms: Vms) -> list[Message]:
    """Return the judging of one page of VMs, and this command again for the pages after it."""
    page = await vms.keys_of_image(
        normalise_id(command.image_id), limit=PAGE, cursor=command.cursor
    )
    messages: list[Message] = []
    if page.items:
        messages.append(JudgeVm(vm_keys=page.items, because=command.because))
    if page.cursor:
        messages.append(replace(command, cursor=page.cursor))
    return messages
