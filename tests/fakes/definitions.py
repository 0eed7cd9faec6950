"""Image definitions to test with."""

from dataclasses import replace
from typing import Any

from shared.domain.image_definition import (
    Check,
    Customizer,
    CustomizerKind,
    ImageDefinition,
    MarketplaceSource,
    OperatingSystem,
    Repair,
    TargetRegion,
)

UBUNTU_SOURCE = MarketplaceSource(
    publisher="Canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts-gen2"
)


def shell(name: str, script: str = "true\n") -> Customizer:
    """Return a shell customizer."""
    return Customizer(name=name, kind=CustomizerKind.SHELL, script=script)


def ubuntu(**changes: Any) -> ImageDefinition:
    """Return a small Ubuntu definition with two checks and one repair, with *changes*."""
    definition = ImageDefinition(
        name="ubuntu-22-04",
        description="Hardened Ubuntu 22.04",
        os=OperatingSystem.LINUX,
        major=1,
        source=UBUNTU_SOURCE,
        publisher="assay",
        offer="ubuntu",
        sku="22-04",
        hyper_v_generation="V2",
        architecture="x64",
        security_type=None,
        regions=(TargetRegion(name="westeurope", replicas=2), TargetRegion(name="northeurope")),
        customizers=(shell("hardening"), shell("agent")),
        checks=(Check(name="sshd", script="sshd -T\n"), Check(name="agent", script="true\n")),
        repairs=(Repair(name="reset-sshd", answers=("sshd",), customizers=(shell("reset-sshd"),)),),
        boot_seconds=600,
        max_attempts=3,
        build_vm_size="Standard_D2s_v5",
        verify_vm_size="Standard_D2s_v5",
        build_timeout_minutes=120,
        verify_timeout_minutes=60,
    )
    return replace(definition, **changes)
