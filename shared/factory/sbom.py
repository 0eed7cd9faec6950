"""The software bill of materials: a software report as CycloneDX JSON, by its own library."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from shared.domain.software import Package, SoftwareReport

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

_PURL_TYPES = {"deb": "deb", "rpm": "rpm", "program": "generic"}
"""Package URL types (https://github.com/package-url/purl-spec)."""
_NAMESPACES = {"rhel": "redhat", "ol": "oracle"}
"""Package URL vendors that differ from the ID in os-release."""


def sbom(report: SoftwareReport, *, definition: str, version: str, made_at: datetime) -> bytes:
    """Return the CycloneDX 1.6 document of *report*; the same report gives the same bytes."""
    # The library takes half a second to load, and one step in a day needs it.
    from cyclonedx.model.bom import Bom, BomMetaData  # noqa: PLC0415 - heavy
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415 - heavy
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415 - heavy

    name = f"{definition}@{version}"
    image = Component(
        name=definition, version=version, type=ComponentType.OPERATING_SYSTEM, bom_ref=name
    )
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"urn:assay:{name}:{made_at.isoformat()}"),
        metadata=BomMetaData(component=image, timestamp=made_at),
    )
    parts = [_component(p, report.system) for p in report.packages]
    for hotfix in report.hotfixes:
        ref = f"hotfix:{hotfix.id}"
        says, kind = "Windows update", ComponentType.OPERATING_SYSTEM
        parts.append(Component(name=hotfix.id, type=kind, bom_ref=ref, description=says))
    for part in parts:
        bom.components.add(part)
    bom.register_dependency(image, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2).encode()


def _component(package: Package, system: dict[str, str]) -> "Component":
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415 - heavy
    from cyclonedx.model.contact import OrganizationalEntity  # noqa: PLC0415 - heavy
    from packageurl import PackageURL  # noqa: PLC0415 - heavy

    vendor = system.get("id", "")
    distro = f"{vendor}-{system.get('version', '')}".strip("-")
    known = package.kind in ("deb", "rpm")
    qualifiers = {"arch": package.architecture, "distro": distro} if known else {}
    purl = PackageURL(
        type=_PURL_TYPES[package.kind],
        namespace=_NAMESPACES.get(vendor, vendor) if known else None,
        name=package.name,
        version=package.version or None,
        qualifiers={k: v for k, v in qualifiers.items() if v},
    )
    return Component(
        name=package.name,
        version=package.version or None,
        type=ComponentType.LIBRARY if known else ComponentType.APPLICATION,
        purl=purl,
        bom_ref=purl.to_string(),
        supplier=OrganizationalEntity(name=package.publisher) if package.publisher else None,
    )
