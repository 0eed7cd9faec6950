"""Controls of guests: somebody inside a VM changes a file or a registry value."""

from typing import TYPE_CHECKING, Any

from localcloud.arm.control_table import Body, Table
from localcloud.arm.errors import SimulatorStateError
from localcloud.arm.guests import Guest

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


class _File(Body):
    resource_id: str
    path: str
    text: str | None = None


class _Key(Body):
    resource_id: str
    key: str
    values: dict[str, str] | None = None


def guest_of(cloud: "Cloud", resource_id: str) -> Guest:
    """What is inside a VM or instance; raises SimulatorStateError where there is none."""
    machine = cloud.store.get(resource_id)
    guest = machine.facts.get("guest") if machine else None
    if not isinstance(guest, Guest):
        raise SimulatorStateError(f"There is no virtual machine '{resource_id}'.")
    return guest


async def _write_file(cloud: "Cloud", body: Any) -> None:
    asked = _File.model_validate(body)
    files = guest_of(cloud, asked.resource_id).files
    if asked.text is None:
        files.pop(asked.path, None)
    else:
        files[asked.path] = asked.text


async def _write_key(cloud: "Cloud", body: Any) -> None:
    asked = _Key.model_validate(body)
    registry, key = guest_of(cloud, asked.resource_id).registry, asked.key.rstrip("\\").lower()
    if asked.values is None:
        registry.pop(key, None)
    else:
        registry[key] = dict(asked.values)


TABLE: Table = {
    ("POST", "/guests/files"): _write_file,
    ("POST", "/guests/registry"): _write_key,
}
