"""What may be asked about the fleet: queries and bodies; see `shared/web/schema.py`."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    StrictBool,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.domain.identifiers import normalise_id, normalise_region
from shared.domain.snapshot import Dimension, Grain
from shared.domain.vm_record import Kind, Machine, Verdict
from shared.ports import ExportWhat
from shared.web.schema import Asked, FormQuery, PageQuery, Reason, VersionNumber


class SweepsQuery(PageQuery):
    """Which part of the list of sweeps; each of them costs a read."""

    limit: int = Field(default=20, ge=1, le=100)


class SubscriptionsQuery(PageQuery):
    """Which subscriptions."""

    troubled: bool = False
    """Only those with a problem."""


class ScaleSetsQuery(PageQuery):
    """Which scale sets."""

    team: str = ""
    image: Annotated[str, AfterValidator(normalise_id)] = ""
    verdict: Verdict | None = None
    subscription: UUID | None = None
    deleted: bool = False


class VmFilters(Asked):
    """Which VMs, as every list and export of VMs can be asked."""

    team: str = ""
    image: Annotated[str, AfterValidator(normalise_id)] = ""
    version: str = ""
    verdict: Verdict | None = None
    subscription: UUID | None = None
    kind: Kind | None = None
    region: Annotated[str, AfterValidator(normalise_region)] = ""
    policy: str = ""
    machine: Machine | None = None
    """Every machine but no model of a scale set when it is not given."""
    as_of: AwareDatetime | None = None
    """What is overdue is so as of then; now when it is not given."""

    @model_validator(mode="after")
    def _version_of_an_image(self) -> Self:
        if self.version and not self.image:
            raise PydanticCustomError(
                "version", "version needs image too: numbers alone do not name an image"
            )
        return self


class VmsQuery(VmFilters, PageQuery, FormQuery):
    """Which VMs, the late and the gone among them."""

    overdue: bool = False
    deleted: bool = False


class OverdueQuery(VmFilters, PageQuery, FormQuery):
    """Which of the VMs that are overdue."""


class ExportBody(VmFilters):
    """Body that asks for an export."""

    what: ExportWhat
    deleted: StrictBool = False
    reason: Reason | None = None


class ExportQuery(Asked):
    """What the file is to be."""

    format: Literal["json", "csv", "jsonl"] | None = None


class TeamQuery(FormQuery):
    """Whose VMs; everybody's when no team is given."""

    team: Annotated[str, AfterValidator(str.lower)] = ""


class TrendQuery(TeamQuery):
    """What to count by, how often, and since when."""

    by: Dimension = Dimension.VERDICT
    grain: Grain = Grain.DAY
    since: AwareDatetime | None = Field(default=None, alias="from")
    until: AwareDatetime | None = Field(default=None, alias="to")
    top: int = Field(default=20, ge=1, le=100)
    """How many values are told apart: those with the most VMs at the end."""


class AdoptionQuery(TeamQuery):
    """Which version of which image."""

    image: str = Field(min_length=1)
    version: VersionNumber
