"""What a control is: something the simulated cloud is told, or asked, besides what Azure has."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

type Control = Callable[["Cloud", Any], Awaitable[Any]]
type Table = dict[tuple[str, str], Control]


class Body(BaseModel):
    """The body of a control request; fields it does not have are refused."""

    model_config = ConfigDict(extra="forbid")
