"""The tattoo: the facts stamped into an image version.

In the guest as `key=value` lines, on the gallery version as tags, in the register as a mapping.
"""

from dataclasses import dataclass
from datetime import date

LINUX_PATH = "/etc/assay/tattoo"
WINDOWS_KEY = r"HKLM:\SOFTWARE\Assay\Tattoo"
TAG_PREFIX = "assay-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tattoo:
    """What is stamped, one field per key."""

    definition: str
    version: str
    source_publisher: str
    source_offer: str
    source_sku: str
    source_version: str
    """Publisher to version are those of the Marketplace image, at the root of any chain."""
    os: str
    build_id: str
    attempt: int
    customization_digest: str
    publish_date: date
    """The day in the version number; the exact time of publishing is a tag and in the register."""
    source_image: str = ""
    """The golden image it was built from, and its version; empty for a Marketplace image."""
    source_image_version: str = ""
    statement_digest: str = ""
    """SHA-256 of the signed build statement; empty for a build of an earlier release."""

    def facts(self) -> dict[str, str]:
        """Return the facts under their keys, as stamped everywhere."""
        parent = {
            "source-image": self.source_image,
            "source-image-version": self.source_image_version,
        }
        return {
            "definition": self.definition,
            "version": self.version,
            **(parent if self.source_image else {}),
            "source-publisher": self.source_publisher,
            "source-offer": self.source_offer,
            "source-sku": self.source_sku,
            "source-version": self.source_version,
            "os": self.os,
            "build-id": self.build_id,
            "attempt": str(self.attempt),
            "customization-digest": self.customization_digest,
            "publish-date": self.publish_date.isoformat(),
            **({"statement-digest": self.statement_digest} if self.statement_digest else {}),
        }


ADDED_LATER = frozenset({"os-version", "published-at"})
"""Facts the register learns after the stamping, which the guest need not show as stamped."""


def tags(facts: dict[str, str]) -> dict[str, str]:
    """Return *facts* as tags of the gallery version."""
    return {f"{TAG_PREFIX}{key}": value for key, value in facts.items()}


def stamped(facts: dict[str, str]) -> dict[str, str]:
    """Return those of the register's *facts* that were stamped into the image."""
    return {key: value for key, value in facts.items() if key not in ADDED_LATER}


def render(facts: dict[str, str]) -> str:
    """Return *facts* as `key=value` lines, in their order, the last one ended too."""
    return "".join(f"{key}={value}\n" for key, value in facts.items())


def parse(text: str) -> dict[str, str]:
    """Read `key=value` lines; lines without `=` are passed over, keys and values stripped."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Return one sentence per fact of *expected* that *found* lacks or contradicts.

    Further keys in *found* are no fault: the guest adds its own (`os-version`).
    """
    problems = []
    for key, value in expected.items():
        if key not in found:
            problems.append(f"{key} is missing (expected {value})")
        elif found[key] != value:
            problems.append(f"{key} is {found[key]}, expected {value}")
    return problems
