"""What a request may hold: the models of bodies and queries, and reading them."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.domain.identifiers import normalise_id, normalise_region
from shared.domain.snapshot import Dimension, Grain
from shared.domain.versions import is_version
from shared.domain.vm_record import Kind, Machine, Verdict
from shared.factory.lineage import MAX_DEPTH
from shared.ports import ExportWhat
from shared.web.exchange import ApiRequest
from shared.web.problems import bad_request, malformed

MAX_LIMIT = 500
DEFAULT_LIMIT = 100
_MAX_KEY = 200


def _version_number(text: str) -> str:
    if not is_version(text):
        raise PydanticCustomError(
            "version", "it must be an exact version made of numbers, for example 22.04.202401161"
        )
    return text


type Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
"""Why something is asked for: 1 to 500 characters."""


class _Asked(BaseModel):
    """Base of all: a name we do not know is a fault, for it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=2048)


class PublishBody(_Asked):
    """Body of a publish request."""

    force: StrictBool = False
    """Build even when the same build exists."""
    source_version: Annotated[str, AfterValidator(_version_number)] | None = None
    """Exact version to build from; the newest when it is not given."""
    reason: Reason | None = None


class ReasonBody(_Asked):
    """Body of a move that has to say why."""

    reason: Reason


class MayReasonBody(_Asked):
    """Body of a move that may say why."""

    reason: Reason | None = None


class PromoteBody(MayReasonBody):
    """Body of a promotion."""

    channel: str | None = None
    """Where to; the next channel when it is not given."""


class ApproveBody(ReasonBody):
    """Body of an approval."""

    channel: str | None = None
    """Which channel the version may enter; the first that asks when it is not given."""


class RevokeBody(ReasonBody):
    """Body of a revocation."""

    at: AwareDatetime | None = None
    """From when on; at once when it is not given."""
    inherit: StrictBool = True
    """Whether versions built from it are revoked too."""
    force: StrictBool = False
    """Whether it is done even where no good version is left."""


class RollbackBody(ReasonBody):
    """Body of a rollback."""

    version: Annotated[str, AfterValidator(_version_number)] | None = None
    """Where to; the last good version the channel showed before when it is not given."""


class NoQuery(_Asked):
    """The query of a page that takes none."""


class PageQuery(_Asked):
    """Which part of a list."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str = ""


class FormQuery(_Asked):
    """In what form, of a page that comes as CSV too."""

    format: Literal["json", "csv"] | None = None
    """What `Accept` asks for when it is not given; so everywhere a page has several forms."""


class SweepsQuery(PageQuery):
    """Which part of the list of sweeps; each of them costs a read."""

    limit: int = Field(default=20, ge=1, le=100)


class SubscriptionsQuery(PageQuery):
    """Which subscriptions."""

    troubled: bool = False
    """Only those with a problem."""


class LineageQuery(_Asked):
    """How far to look, and how to show it."""

    depth: int = Field(default=MAX_DEPTH, ge=1, le=MAX_DEPTH)
    """Generations of parents and of children."""
    format: Literal["json", "mermaid", "dot"] | None = None


class BuildsQuery(PageQuery):
    """Which builds."""

    definition: str = ""


class ProvenanceQuery(_Asked):
    """Which of the two statements on a version."""

    statement: Literal["provenance", "build"] = "provenance"


class DiffQuery(_Asked):
    """Which two versions, and how the answer is wanted."""

    old: str = Field(alias="from", min_length=1)
    new: str = Field(alias="to", min_length=1)
    format: Literal["json", "text"] | None = None


class ChannelQuery(_Asked):
    """How the answer is wanted."""

    format: Literal["json", "text"] | None = None


class AuditQuery(PageQuery):
    """Whose moves."""

    image: str = ""
    """Name of a definition; its builds belong to it. Without one: exports, and parked messages."""
    subject: str = ""
    """Keeps to one subject, for example `builds/<id>`."""


class ScaleSetsQuery(PageQuery):
    """Which scale sets."""

    team: str = ""
    image: Annotated[str, AfterValidator(normalise_id)] = ""
    verdict: Verdict | None = None
    subscription: UUID | None = None
    deleted: bool = False


class VmFilters(_Asked):
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


class ExportQuery(_Asked):
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
    version: Annotated[str, AfterValidator(_version_number)]


def read_query[T: _Asked](request: ApiRequest, model: type[T]) -> T:
    """Read the query of *request*; an empty value counts as not given.

    Raises ProblemError (400) that names each fault.
    """
    given = {name: value for name, value in request.query.items() if value}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise malformed(error, "query") from error


def read_body[T: _Asked](request: ApiRequest, model: type[T]) -> T:
    """Read the body of *request*; no body is an empty object.

    Raises ProblemError (400) that names each fault.
    """
    try:
        return model.model_validate_json(request.body.strip() or b"{}")
    except ValidationError as error:
        raise malformed(error, "body") from error


def read_publish_body(request: ApiRequest) -> PublishBody:
    """Read the body of a publish request; no body asks for the defaults.

    Raises ProblemError (400) that names each fault.
    """
    if not request.body.strip():
        return PublishBody()
    try:
        return PublishBody.model_validate_json(request.body)
    except ValidationError as error:
        raise malformed(error, "body") from error


def read_idempotency_key(request: ApiRequest) -> str | None:
    """Return the `Idempotency-Key` header; None when there is none.

    Raises ProblemError (400) when it is not 1 to 200 printable ASCII characters.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    key = key.strip()
    if not (0 < len(key) <= _MAX_KEY and key.isascii() and key.isprintable()):
        raise bad_request(
            ("Idempotency-Key", f"it must be 1 to {_MAX_KEY} printable ASCII characters")
        )
    return key
