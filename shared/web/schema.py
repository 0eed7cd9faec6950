"""What a request may hold: the models of bodies and queries, and reading them."""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from shared.domain.versions import is_version
from shared.factory.lineage import MAX_DEPTH
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


type VersionNumber = Annotated[str, AfterValidator(_version_number)]
"""An exact version, as our images and those of the Marketplace have."""
type Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
"""Why something is asked for: 1 to 500 characters."""


class Asked(BaseModel):
    """Base of all: a name we do not know is a fault, for it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=2048)


class PublishBody(Asked):
    """Body of a publish request."""

    force: StrictBool = False
    """Build even when the same build exists."""
    source_version: VersionNumber | None = None
    """Exact version to build from; the newest when it is not given."""
    reason: Reason | None = None


class ReasonBody(Asked):
    """Body of a move that has to say why."""

    reason: Reason


class MayReasonBody(Asked):
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

    version: VersionNumber | None = None
    """Where to; the last good version the channel showed before when it is not given."""


class NoQuery(Asked):
    """The query of a page that takes none."""


class PageQuery(Asked):
    """Which part of a list."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str = ""


class FormQuery(Asked):
    """In what form, of a page that comes as CSV too."""

    format: Literal["json", "csv"] | None = None
    """What `Accept` asks for when it is not given; so everywhere a page has several forms."""


class LineageQuery(Asked):
    """How far to look, and how to show it."""

    depth: int = Field(default=MAX_DEPTH, ge=1, le=MAX_DEPTH)
    """Generations of parents and of children."""
    format: Literal["json", "mermaid", "dot"] | None = None


class BuildsQuery(PageQuery):
    """Which builds."""

    definition: str = ""


class ProvenanceQuery(Asked):
    """Which of the two statements on a version."""

    statement: Literal["provenance", "build"] = "provenance"


class DiffQuery(Asked):
    """Which two versions, and how the answer is wanted."""

    old: str = Field(alias="from", min_length=1)
    new: str = Field(alias="to", min_length=1)
    format: Literal["json", "text"] | None = None


class ChannelQuery(Asked):
    """How the answer is wanted."""

    format: Literal["json", "text"] | None = None


class AuditQuery(PageQuery):
    """Whose moves."""

    image: str = ""
    """Name of a definition; its builds belong to it. Without one: exports, and parked messages."""
    subject: str = ""
    """Keeps to one subject, for example `builds/<id>`."""


def read_query[T: Asked](request: ApiRequest, model: type[T]) -> T:
    """Read the query of *request*; an empty value counts as not given.

    Raises ProblemError (400) that names each fault.
    """
    given = {name: value for name, value in request.query.items() if value}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise malformed(error, "query") from error


def read_body[T: Asked](request: ApiRequest, model: type[T]) -> T:
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
