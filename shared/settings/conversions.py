"""From the text of a variable to its value; each raises ValueError that says what is wrong."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
"""Hosts that are this machine."""
_RESOURCE_ID = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+$", re.IGNORECASE
)
_GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
_ASSIGNMENT = re.compile(
    r"^/(subscriptions/[^/]+(/resourceGroups/[^/]+)?"
    r"|providers/Microsoft\.Management/managementGroups/[^/]+)"
    r"/providers/Microsoft\.Authorization/policyAssignments/[^/]+$",
    re.IGNORECASE,
)
_MOST_BUILDS = 100
_ATTESTATION_DAYS = (2, 3650)


def to_duration(value: str) -> timedelta:
    """Read a number of seconds: more than 0, at most a week."""
    seconds = float(value)
    if not 0 < seconds <= 7 * 24 * 3600:
        raise ValueError("it must be more than 0 and at most 604800 seconds")
    return timedelta(seconds=seconds)


def to_builds_at_once(value: str) -> int:
    """Read how many builds may run at once."""
    if not value.isdecimal() or not 1 <= int(value) <= _MOST_BUILDS:
        raise ValueError(f"it must be a whole number from 1 to {_MOST_BUILDS}")
    return int(value)


def to_url(value: str) -> str:
    """Take an https address, or an http one on a loopback address."""
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname:
        return value
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return value
    raise ValueError("it must be an https address (http only on this machine)")


def to_optional_url(value: str) -> str:
    """Take an address as `to_url` does, or nothing."""
    return to_url(value) if value else ""


def to_notify_form(value: str) -> str:
    """Take `teams` or `slack`."""
    if value not in ("teams", "slack"):
        raise ValueError("it must be teams or slack")
    return value


def to_guid(value: str) -> str:
    """Read a GUID, in lower case."""
    if not _GUID.match(value):
        raise ValueError("it must be a GUID")
    return value.lower()


def to_policy_assignment(value: str) -> str:
    """Take the id of an assignment at a management group, a subscription or a group; or nothing."""
    if value and not _ASSIGNMENT.match(value):
        raise ValueError(
            "it must be the id of a policy assignment that ends "
            "/providers/Microsoft.Authorization/policyAssignments/<name>"
        )
    return value


def to_attestation_life(value: str) -> timedelta:
    """Read how many days an attestation holds."""
    least, most = _ATTESTATION_DAYS
    if not value.isdecimal() or not least <= int(value) <= most:
        raise ValueError(f"it must be a whole number of days from {least} to {most}")
    return timedelta(days=int(value))


def to_resource_id(value: str) -> str:
    """Take the id of a resource in a resource group."""
    if not _RESOURCE_ID.match(value):
        raise ValueError("it must be a resource id that starts /subscriptions/…/resourceGroups/…")
    return value
