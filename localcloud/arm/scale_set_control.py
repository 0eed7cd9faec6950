"""The part of the control surface that moves scale sets as the platform does."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from localcloud.arm.scale_set_upgrades import autoscale, upgrade_by_platform
from localcloud.arm.store import Json

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud


class _Set(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str


class _Capacity(_Set):
    capacity: int = Field(ge=0)


async def upgrade(cloud: "Cloud", body: Any) -> Json:
    """Automatic OS upgrade of one scale set."""
    return {"upgraded": upgrade_by_platform(cloud, _Set.model_validate(body).id)}


async def scale(cloud: "Cloud", body: Any) -> None:
    """Autoscale of one scale set."""
    asked = _Capacity.model_validate(body)
    autoscale(cloud, asked.id, asked.capacity)
