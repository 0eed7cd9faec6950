"""The environment the app is given in the local cloud: every setting a deployment would set."""

from dataclasses import dataclass

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
"""Assay's own: gallery, templates and verification VMs."""
TEAMS_SUBSCRIPTION = "00000000-0000-4000-8000-000000000002"
"""Where the teams of the scenario keep their VMs."""
RESOURCE_GROUP = "rg-assay"
LOCATION = "westeurope"
GALLERY = "assay_gallery"
TOPIC = "assay"
IDENTITY_HEADER = "local-cloud"
"""What App Service would make up and demand of who asks it for a token."""

# What a deployment waits, in seconds.
_LOOK, _GRACE, _RETRY, _BLIND = 60.0, 120.0, 1800.0, 1800.0
_SOAK = 240.0  # minutes for what is a day in a deployment: the story is to be told
# What any wait needs at least in real seconds: queue messages take about a tenth of one.
_LEAST, _LEAST_GRACE = 0.5, 5.0


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the parts of the local cloud are."""

    storage: str
    """Connection string."""
    arm: str
    functions: str
    """Empty while the port is not known."""


def app_environment(
    addresses: Addresses, *, time_scale: float, signing_key: str = ""
) -> dict[str, str]:
    """Return the environment variables of the app.

    *time_scale* says how many times faster than in Azure things happen; the app's waits are
    divided by it, as far as messages can keep up. *signing_key* is what evidence is signed with.
    """
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}/providers"
    return {
        "AzureWebJobsStorage": addresses.storage,
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "IDENTITY_ENDPOINT": f"{addresses.arm}/msi/token",
        "IDENTITY_HEADER": IDENTITY_HEADER,
        "ASSAY_ARM_ENDPOINT": addresses.arm,
        "ASSAY_TOPIC_ENDPOINT": f"{addresses.arm}/topics/{TOPIC}/api/events",
        "ASSAY_SUBSCRIPTION_ID": SUBSCRIPTION,
        "ASSAY_RESOURCE_GROUP": RESOURCE_GROUP,
        "ASSAY_LOCATION": LOCATION,
        "ASSAY_GALLERY": GALLERY,
        "ASSAY_BUILD_IDENTITY_ID": (
            f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/id-assay-build"
        ),
        "ASSAY_VERIFY_SUBNET_ID": (
            f"{group}/Microsoft.Network/virtualNetworks/vnet-assay/subnets/verify"
        ),
        "ASSAY_PUBLIC_URL": addresses.functions,
        "ASSAY_SIGNING_KEY": signing_key,
        "ASSAY_LOOK_SECONDS": _scaled(_LOOK, time_scale),
        "ASSAY_GRACE_SECONDS": _scaled(_GRACE, time_scale, least=_LEAST_GRACE),
        "ASSAY_RETRY_SECONDS": _scaled(_RETRY, time_scale),
        "ASSAY_BLIND_SECONDS": _scaled(_BLIND, time_scale, least=_LEAST_GRACE),
        "ASSAY_SOAK_SECONDS": _scaled(_SOAK, time_scale),
        "ASSAY_CARE_SCHEDULE": "*/10 * * * * *",
        # Once an hour: whoever tries things out fires the timer by hand (docs/local-cloud.md).
        "ASSAY_DETECT_SCHEDULE": "0 0 * * * *",
        "ASSAY_SWEEP_SCHEDULE": "0 7 * * * *",
        "ASSAY_SNAPSHOT_SCHEDULE": "0 0 * * * *",
        "ASSAY_POLICY_SCHEDULE": "0 23 3 * * *",
        "ASSAY_HISTORY_SCHEDULE": "0 40 2 * * 0",
    }


def _scaled(seconds: float, time_scale: float, *, least: float = _LEAST) -> str:
    return f"{max(least, seconds / time_scale):g}"
