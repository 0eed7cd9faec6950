"""What the simulated Marketplace holds at the start."""

from localcloud.arm.marketplace import Marketplace, Plan

# Version numbers in the form each publisher really uses. Each list has at least one pair that
# sorts wrongly as text.
_PLANS = (
    Plan(
        "Canonical",
        "0001-com-ubuntu-server-jammy",
        "22_04-lts-gen2",
        "Linux",
        versions=[
            "22.04.202204200",
            "22.04.202312060",
            "22.04.20240116",
            "22.04.202401161",
            "22.04.202405130",
            "22.04.202408010",
            "22.04.202411080",
        ],
    ),
    Plan(
        "Canonical",
        "UbuntuServer",
        "18_04-LTS-GEN2",
        "Linux",
        versions=["18.04.202002180", "18.04.202401161"],
    ),
    Plan(
        "Canonical",
        "UbuntuServer",
        "18.04-LTS",
        "Linux",
        generation="V1",
        versions=["18.04.201808140", "18.04.202002180", "18.04.202401161"],
    ),
    Plan(
        "Debian",
        "debian-12",
        "12-gen2",
        "Linux",
        versions=["0.20230711.1438", "0.20241004.1890", "0.20241004.991", "0.20250814.2204"],
    ),
    Plan(
        "MicrosoftWindowsServer",
        "WindowsServer",
        "2022-datacenter-azure-edition",
        "Windows",
        size_gb=127,
        versions=["20348.887.220806", "20348.2113.231109", "20348.2762.241006"],
    ),
)


def fill(marketplace: Marketplace) -> None:
    """Put the plans into an empty Marketplace."""
    for plan in _PLANS:
        marketplace.add(
            Plan(
                plan.publisher,
                plan.offer,
                plan.sku,
                plan.os,
                generation=plan.generation,
                size_gb=plan.size_gb,
                versions=list(plan.versions),
            )
        )
