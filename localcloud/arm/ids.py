"""Resource ids, guids and the time formats of the different resource providers."""

import random
import re
import uuid
from datetime import datetime

NO_TIME = "0001-01-01T00:00:00Z"
_GROUP = re.compile(r"/resourcegroups/([^/]+)", re.IGNORECASE)
_SUBSCRIPTION = re.compile(r"^/subscriptions/([^/]+)", re.IGNORECASE)


class Guids:
    """Guids that look random and are the same in every run with the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - ids for a simulator, not secrets

    def next(self) -> str:
        """The next guid, lower-case with hyphens."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def text(self, length: int) -> str:
        """Lower-case letters and digits, `length` of them."""
        return "".join(self._random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))


def compute_id(subscription: str, group: str, kind: str, name: str) -> str:
    """A Microsoft.Compute resource id; `kind` and `name` interleave when nested."""
    path = "/".join(f"{k}/{n}" for k, n in zip(kind.split("/"), name.split("/"), strict=True))
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/{path}"
    )


def template_id(subscription: str, group: str, name: str) -> str:
    """An image template's id, with the lower-case `resourcegroups` Image Builder answers with."""
    return (
        f"/subscriptions/{subscription}/resourcegroups/{group}"
        f"/providers/Microsoft.VirtualMachineImages/imageTemplates/{name}"
    )


def group_of(resource_id: str) -> str:
    """The resource group named in an id, or an empty string."""
    found = _GROUP.search(resource_id)
    return found.group(1) if found else ""


def subscription_of(resource_id: str) -> str:
    """The subscription named in an id, or an empty string."""
    found = _SUBSCRIPTION.match(resource_id)
    return found.group(1) if found else ""


def last_segment(resource_id: str) -> str:
    """The name at the end of an id."""
    return resource_id.rsplit("/", 1)[-1]


def type_of(resource_id: str) -> str:
    """The type of the resource an id names, such as `Microsoft.Compute/virtualMachines`."""
    namespace, *rest = resource_id.rsplit("/providers/", 1)[-1].split("/")
    return "/".join([namespace, *rest[::2]])


def seven_digits(moment: datetime) -> str:
    """`2024-05-15T09:24:53.5640490Z`: Image Builder operations and policy states."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def nine_digits(moment: datetime) -> str:
    """`2024-05-14T08:39:55.679639000Z`: lastRunStatus."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def with_offset(moment: datetime) -> str:
    """`2023-12-19T09:12:25.2589210+00:00`: Microsoft.Compute."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0+00:00"
