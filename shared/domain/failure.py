"""Why a build attempt failed, by what should be done about it."""

import re
from dataclasses import dataclass
from enum import StrEnum


class FailureClass(StrEnum):
    """What a failure calls for."""

    CONFIGURATION = "configuration"
    """Definition or set-up is wrong: no retry, say so."""
    ACCESS = "access"
    """An identity lacks a right, or policy forbids: no retry, say so."""
    CUSTOMIZATION = "customization"
    """A customizer failed: repair."""
    CHECK = "check"
    """A check failed: repair."""
    TIMEOUT = "timeout"
    """Out of time: the version may still have been distributed."""
    CAPACITY = "capacity"
    """Azure has no room now: a new attempt later."""
    SERVICE = "service"
    """Azure failed: a new attempt later."""
    CANCELLED = "cancelled"
    """Somebody cancelled the run."""


FINAL = frozenset({FailureClass.CONFIGURATION, FailureClass.ACCESS, FailureClass.CANCELLED})
"""Classes that end the build at once: another attempt would end the same way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failure, with Azure's own words (at most 1,000 characters)."""

    failure_class: FailureClass
    message: str


_RULES: tuple[tuple[FailureClass, str], ...] = (
    # First, for the log it quotes may hold any of the words below.
    (
        FailureClass.CUSTOMIZATION,
        r"Packer build command has failed|IMAGE_STATE_UNDEPLOYABLE"
        r"|Script exited with non-zero",
    ),
    (
        FailureClass.ACCESS,
        r"AuthorizationFailed|LinkedAuthorizationFailed|Unauthorized|Not authorized"
        r"|managed identity cannot be used|RequestDisallowedByPolicy|InvalidTemplateDeployment",
    ),
    (
        FailureClass.CAPACITY,
        r"quota exceeded|Too many Azure Container Instances|SkuNotAvailable|AllocationFailed"
        r"|OverconstrainedAllocationRequest|QuotaExceeded",
    ),
    (
        FailureClass.CONFIGURATION,
        r"ValidationFailed|provider not registered|(?-i:\bBad[A-Z]\w+)|NoCustomizerScript"
        r"|UnsupportedCustomizerType|PropertyChangeNotAllowed|InvalidParameter",
    ),
    (FailureClass.TIMEOUT, r"context deadline exceeded|BuildTimeout|build timed out"),
    (FailureClass.CANCELLED, r"context cancellation|Cancell?ed by|was cancell?ed"),
    (FailureClass.CHECK, r"in-VM validation|validation phase"),
)


def classify(code: str, message: str) -> Failure:
    """Sort what Azure said (*code* and *message*) into what should be done about it.

    The texts are those users meet with Image Builder
    (https://learn.microsoft.com/azure/virtual-machines/linux/image-builder-troubleshoot).
    What matches no rule counts as the service's own failure, which a bounded number of fresh
    attempts may cure: `InternalOperationError` stands for outages and bad set-ups alike.
    """
    text = f"{code}: {message}" if code else message
    for failure_class, pattern in _RULES:
        if re.search(pattern, text, re.IGNORECASE):
            return Failure(failure_class=failure_class, message=text[:1000])
    return Failure(failure_class=FailureClass.SERVICE, message=text[:1000])
