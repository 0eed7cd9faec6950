"""Every error Assay raises, in one tree.

* AssayError
  x RetryableError              the same message may succeed later; nothing is wrong with it
    - ConflictError             another delivery changed the record first: load it again
    - ThrottledError            Azure asks us to slow down and may say for how long
    - UnavailableError          Azure is blind, busy or out of capacity for a while
    - NotReadyError             a right or a part of our set-up is missing, perhaps not for long
  x PermanentError              the same message will fail again; a person has to act
    - BadMessageError           not a message or event we can read
    - DefinitionError           an image definition (YAML) is wrong
    - SettingsError             the environment is incomplete or malformed
    - NotFoundError             the thing named does not exist
    - NotAllowedError           the present state of things forbids what was asked for
    - RefusedError              Azure refuses what we ask: access, policy or configuration
      - AssignmentError         the policy assignment verdicts are attested under is a wrong one
    - ProblemError              an API request that cannot be answered (in web/problems.py)

Each message says what happened, to what, and what to do. Two questions decide everything:
retry or give up? The entrypoints ask only for `RetryableError` and `PermanentError`.
"""

from datetime import timedelta
from typing import ClassVar


class AssayError(Exception):
    """Base of every error Assay raises on purpose."""


class RetryableError(AssayError):
    """The same message may succeed later.

    *after* is how long Azure asked us to wait; None means it did not say.
    """

    most_tries: ClassVar[int] = 60
    """How often a message is put off for this, before it is parked."""

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class ConflictError(RetryableError):
    """Another delivery changed the record first; load it again and decide anew."""


class ThrottledError(RetryableError):
    """Azure answered 429 or 503; wait at least `after`."""


class UnavailableError(RetryableError):
    """Azure cannot say or do it now: blind status, 5xx, timeout, no capacity."""


class NotReadyError(RetryableError):
    """A right or a part of our set-up is missing: on the first day it may be on its way.

    A new role assignment takes up to ten minutes to work
    (https://learn.microsoft.com/azure/role-based-access-control/troubleshooting), so it is tried
    again for half an hour; then a person has to act.
    """

    most_tries: ClassVar[int] = 6

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message, after=after or timedelta(minutes=5))


class PermanentError(AssayError):
    """The same message will fail again until a person changes something."""


class BadMessageError(PermanentError):
    """A queue message or event that cannot be read: not JSON, unknown kind, newer version."""


class DefinitionError(PermanentError):
    """An image definition is wrong; *problems* holds one sentence per fault, with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SettingsError(PermanentError):
    """Settings are missing or malformed; *problems* names every one of them at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("Assay cannot start:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = problems


class NotFoundError(PermanentError):
    """The named thing does not exist in Azure or in the register."""


class NotAllowedError(PermanentError):
    """The present state of things forbids what was asked for; *state* says what it is.

    *kind* names the reason in kebab case, for example `build-publishing`; the API answers 409.
    """

    def __init__(
        self, message: str, *, kind: str = "not-allowed", state: dict[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.state = state or {}


class RefusedError(PermanentError):
    """Azure refuses the request and will refuse it again: access, policy or configuration."""


class AssignmentError(RefusedError):
    """The policy assignment verdicts are attested under is missing, or takes no attestations."""
