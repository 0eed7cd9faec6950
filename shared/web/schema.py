"""What a request may hold: the models of bodies and queries, and reading them."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.domain.identifiers import normalise_id
from shared.domain.versions import is_version
from shared.domain.vm_record import Verdict
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


class _Asked(BaseModel):
    """Base of all: a name we do not know is a fault, for it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=2048)


class PublishBody(_Asked):
    """Body of a publish request."""

    force: StrictBool = False
    """Build even when the same build exists."""
    source_version: Annotated[str, AfterValidator(_version_number)] | None = None
    """Exact version to build from; the newest when it is not given."""


class NoQuery(_Asked):
    """The query of a page that takes none."""


class PageQuery(_Asked):
    """Which part of a list."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str = ""


class BuildsQuery(PageQuery):
    """Which builds."""

    definition: str = ""


class VmsQuery(PageQuery):
    """Which VMs."""

    team: str = ""
    image: Annotated[str, AfterValidator(normalise_id)] = ""
    version: str = ""
    verdict: Verdict | None = None
    subscription: UUID | None = None
    deleted: bool = False

    @model_validator(mode="after")
    def _version_of_an_image(self) -> Self:
        if self.version and not self.image:
            raise PydanticCustomError(
                "version", "version needs image too: numbers alone do not name an image"
            )
        return self


def read_query[T: _Asked](request: ApiRequest, model: type[T]) -> T:
    """Read the query of *request*; an empty value counts as not given.

    Raises ProblemError (400) that names each fault.
    """
    given = {name: value for name, value in request.query.items() if value}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise malformed(error, "query") from error


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
