"""Proving a tattoo: is what a VM shows what the register and the signed evidence say?"""

from dataclasses import dataclass

from shared.domain.evidence import tattoo_digest
from shared.domain.image_version import ImageVersion
from shared.domain.tattoo import differences, parse

_NOT_IN_GUEST = "published-at"
"""The one fact that is known only after the image was captured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a tattoo was held against; *faults* is empty when it is proved."""

    digest: str
    """Of the tattoo as shown; the subject of the provenance when it is genuine."""
    faults: tuple[str, ...]

    @property
    def proved(self) -> bool:
        """Whether everything agrees."""
        return not self.faults


def prove_tattoo(text: str, version: ImageVersion) -> Proof:
    """Hold the *text* of a VM's tattoo against the register's row of the version it names.

    Each fact must be that of the register, the digest of the build statement among them, and the
    whole must have the digest that the signed provenance is about, so nothing can be added either.
    """
    facts = {k: v for k, v in version.tattoo.items() if k != _NOT_IN_GUEST}
    faults = differences(facts, parse(text))
    digest = tattoo_digest(text)
    if not version.evidence.tattoo:
        faults.append(
            "the register holds no digest of this version's tattoo: it is older than evidence, or "
            "was never verified"
        )
    elif digest != version.evidence.tattoo:
        faults.append(f"its digest is {digest}, expected {version.evidence.tattoo}")
    return Proof(digest=digest, faults=tuple(faults))
