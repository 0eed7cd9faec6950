"""What simulated guests have installed: few packages, named and numbered as the real ones are.

`{month}` in a version counts the months from January 2022 to the source version, so that what a
publisher releases later brings later packages; `{third}` counts quarters, for what moves slowly.
"""

from dataclasses import dataclass

type Package = tuple[str, str]
"""Name and version."""


@dataclass(frozen=True)
class Base:
    """What an image of a publisher holds, before any customizer."""

    id: str
    version: str
    name: str
    kernel: str = ""
    build: str = ""
    packages: tuple[Package, ...] = ()
    hotfixes: tuple[str, ...] = ()


UBUNTU_22 = Base(
    id="ubuntu",
    version="22.04",
    name="Ubuntu 22.04.5 LTS",
    kernel="6.8.0-10{month}-azure",
    packages=(
        ("apt", "2.4.14"),
        ("base-files", "12ubuntu4.7"),
        ("bash", "5.1-6ubuntu1.1"),
        ("ca-certificates", "20240203~22.04.1"),
        ("cloud-init", "24.{third}-0ubuntu1~22.04.1"),
        ("coreutils", "8.32-4.1ubuntu1.2"),
        ("curl", "7.81.0-1ubuntu1.{month}"),
        ("gzip", "1.10-4ubuntu4.1"),
        ("libc6", "2.35-0ubuntu3.{third}"),
        ("libssl3", "3.0.2-0ubuntu1.{month}"),
        ("linux-image-azure", "6.8.0-10{month}.{month}~22.04.1"),
        ("netplan.io", "0.107.1-3ubuntu0.22.04.1"),
        ("openssh-server", "1:8.9p1-3ubuntu0.{third}"),
        ("openssl", "3.0.2-0ubuntu1.{month}"),
        ("python3", "3.10.6-1~22.04.1"),
        ("sudo", "1.9.9-1ubuntu2.4"),
        ("systemd", "249.11-0ubuntu3.{third}"),
        ("tzdata", "2024a-0ubuntu0.22.04.{third}"),
        ("vim", "2:8.2.3995-1ubuntu2.{month}"),
        ("walinuxagent", "2.2.46-0ubuntu5.1"),
    ),
)
DEBIAN_12 = Base(
    id="debian",
    version="12",
    name="Debian GNU/Linux 12 (bookworm)",
    kernel="6.1.0-{month}-cloud-amd64",
    packages=(
        ("apt", "2.6.1"),
        ("base-files", "12.4+deb12u{third}"),
        ("bash", "5.2.15-2+b7"),
        ("ca-certificates", "20230311"),
        ("coreutils", "9.1-1"),
        ("curl", "7.88.1-10+deb12u{third}"),
        ("gzip", "1.12-1"),
        ("libc6", "2.36-9+deb12u{third}"),
        ("linux-image-cloud-amd64", "6.1.{month}-1"),
        ("openssh-server", "1:9.2p1-2+deb12u{third}"),
        ("openssl", "3.0.15-1~deb12u{third}"),
        ("systemd", "252.{month}-1~deb12u1"),
        ("waagent", "2.2.47-4"),
    ),
)
WINDOWS_2022 = Base(
    id="windows",
    version="10.0.20348",
    name="Microsoft Windows Server 2022 Datacenter Azure Edition",
    build="20348.{month}",
    packages=(
        ("Microsoft Edge", "130.0.{month}.69"),
        ("Microsoft Edge WebView2 Runtime", "130.0.{month}.69"),
        ("Windows Azure VM Agent", "2.7.41491.1172"),
    ),
    hotfixes=("KB50440{month}", "KB50430{month}", "KB5041948"),
)
OTHER = Base(id="linux", version="", name="Linux", kernel="6.1.0", packages=(("bash", "5.2"),))

BASES: dict[str, Base] = {
    "0001-com-ubuntu-server-jammy": UBUNTU_22,
    "debian-12": DEBIAN_12,
    "windowsserver": WINDOWS_2022,
}
"""By the offer, in lower case."""

EXTRAS: dict[str, str] = {
    "auditd": "1:3.0.7-1build1",
    "chrony": "4.2-2ubuntu2",
    "nginx": "1.18.0-6ubuntu14.5",
    "unattended-upgrades": "2.8ubuntu1",
}
"""Versions of what customizers install by name; anything else gets 1.0-1."""
