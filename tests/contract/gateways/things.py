"""The definition, template and settings the gateways' contract is told with."""

from dataclasses import replace

from shared.domain.image_definition import (
    Customizer,
    CustomizerKind,
    ImageDefinition,
    MarketplaceSource,
    OperatingSystem,
    TargetRegion,
)
from shared.ports import TemplateSpec
from shared.settings import Settings, settings_from_environ

JAMMY = MarketplaceSource(
    publisher="Canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts-gen2"
)
SOURCE_VERSION = "22.04.202411080"
VERSION = "1.20261122.1"

DEFINITION = ImageDefinition(
    name="ubuntu-2204",
    description="Hardened Ubuntu 22.04",
    os=OperatingSystem.LINUX,
    major=1,
    source=JAMMY,
    publisher="platform",
    offer="ubuntu",
    sku="2204",
    hyper_v_generation="V2",
    architecture="x64",
    security_type="TrustedLaunchSupported",
    regions=(TargetRegion(name="westeurope"), TargetRegion(name="northeurope", replicas=2)),
    customizers=(),
    checks=(),
    repairs=(),
    boot_seconds=600,
    max_attempts=3,
    build_vm_size="Standard_D2s_v5",
    verify_vm_size="Standard_B2s",
    build_timeout_minutes=120,
    verify_timeout_minutes=60,
)

SPEC = TemplateSpec(
    name="ubuntu-2204-0123456789ab-1",
    build_id="ubuntu-2204-0123456789ab",
    attempt=1,
    definition=DEFINITION,
    source_version=SOURCE_VERSION,
    version=VERSION,
    customizers=(
        Customizer(name="harden", kind=CustomizerKind.SHELL, script="#!/bin/bash\necho hard\n"),
    ),
    tags={"assay-definition": "ubuntu-2204"},
)


def spec(attempt: int) -> TemplateSpec:
    """The template of another attempt, with a version of its own."""
    name = f"ubuntu-2204-0123456789ab-{attempt}"
    return replace(SPEC, name=name, attempt=attempt, version=f"1.20261122.{attempt}")


def settings(*, arm: str, subscription: str, topic: str, storage: str = "none") -> Settings:
    """Settings that point at simulated services."""
    group = f"/subscriptions/{subscription}/resourceGroups/rg-assay/providers"
    return settings_from_environ(
        {
            "AzureWebJobsStorage": storage,
            "ASSAY_ARM_ENDPOINT": arm,
            "ASSAY_TOPIC_ENDPOINT": topic,
            "ASSAY_SUBSCRIPTION_ID": subscription,
            "ASSAY_RESOURCE_GROUP": "rg-assay",
            "ASSAY_LOCATION": "westeurope",
            "ASSAY_GALLERY": "assay",
            "ASSAY_BUILD_IDENTITY_ID": (
                f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/id-build"
            ),
            "ASSAY_VERIFY_SUBNET_ID": (
                f"{group}/Microsoft.Network/virtualNetworks/vnet/subnets/verify"
            ),
        }
    )
