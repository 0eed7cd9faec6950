"""Where the simulator is not compared with a recording, or may differ from it, and why."""

import re

from tests.conformance.samples import Interaction

_UNCOVERED = (
    # Each: the method (or any), a pattern of path and query, and the reason.
    ("", "/galleries/[^/]+/(applications|share)", "gallery applications and sharing: not used"),
    ("", r"[$]select=Permissions", "gallery sharing: not used"),
    ("", "/imageTemplates/[^/]+/triggers", "Image Builder's own triggers are refused"),
    ("", "api-version=(2019-05-01|2020-02-14)", "an api-version older than the simulator's"),
    ("POST", "/runCommand([?]|$)", "action run commands: managed run commands are used"),
    ("GET", "/vmSizes", "machine sizes: not used"),
    (
        "POST",
        "/virtualMachineScaleSets/[^/]+/(restart|poweroff|start|delete)",
        "power of scale sets: not used",
    ),
    (
        "POST",
        "/virtualMachineScaleSets/[^/]+/virtualMachines/[^/]+/(restart|poweroff|start|deallocate)",
        "power of scale set instances: not used",
    ),
    ("PUT", "/virtualMachineScaleSets/[^/]+/virtualMachines/", "writing one instance: not used"),
    ("", "/policyEvents/", "policy events: Event Grid brings them"),
    ("POST", "/managementGroups/", "policy states of management groups: not used"),
    ("POST", "[$](apply|expand|select)=.*|/policySetDefinitions/", "aggregating policy states"),
    ("POST", "ResourceGraph.*2019-04-01", "Resource Graph before 2021: other result format"),
)
_COMPUTE = "Microsoft.Compute/virtualMachine"
_VERSIONS = "galleries/images/versions$"
_ALLOWED = (
    # Each: the method (or any), patterns of resource path and difference, and the reason.
    ("", "", "retry-after (missing|extra)", "sent or not, from year to year"),
    ("GET", _COMPUTE, "dataDisks", "data disks are not simulated"),
    ("", _VERSIONS, "dataDiskImages", "data disks are not simulated"),
    ("", _VERSIONS, "encryption.osDiskImage.securityProfile", "disk encryption is not simulated"),
    ("GET", "skus/versions$", "extra properties.(features|osDiskImage.sizeInGb)", "old images"),
    ("", _COMPUTE, "enableAcceleratedNetworking", "answered only in 2023"),
    ("", _COMPUTE, "extra etag$|extra properties.resilientVM", "came with later versions"),
    ("", _COMPUTE, "extra properties.(platformFault|virtualMachineProfile.time)", "came later"),
    ("", _COMPUTE, "identity|extension|missing resources", "policies of the recorded tenant"),
    ("GET", "virtualMachines$", "extra properties.instanceView.(computer|os)", "agent was late"),
)


def why_uncovered(recorded: Interaction) -> str | None:
    """The reason not to replay an interaction, or None."""
    text = f"{recorded.path}?{recorded.query}"
    for method, pattern, reason in _UNCOVERED:
        if method in {"", recorded.method} and re.search(pattern, text, re.IGNORECASE):
            return reason
    return None


def difference_allowed(recorded: Interaction, difference: str) -> bool:
    """True for a difference that has a named reason."""
    return any(
        method in {"", recorded.method}
        and re.search(kind, recorded.resource_path, re.IGNORECASE)
        and re.search(pattern, difference)
        for method, kind, pattern, _ in _ALLOWED
    )
