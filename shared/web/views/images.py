"""Image definitions and image versions as the API answers them."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.image_definition import ImageDefinition, ParentSource, Source
from shared.domain.image_version import ImageVersion, newest_in_region
from shared.domain.versions import version_key
from shared.ports import SourceRecord
from shared.web.exchange import Json, Links
from shared.web.views.values import history_view, instant, instant_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageKnowledge:
    """A definition with what the register holds on it."""

    definition: ImageDefinition
    image_id: str
    """Normalised id of the gallery image definition."""
    versions: Sequence[ImageVersion]
    source: SourceRecord | None

    def newest(self) -> ImageVersion | None:
        """Return the highest version that "latest" means in any of the definition's regions."""
        found = (newest_in_region(list(self.versions), r.name) for r in self.definition.regions)
        return max((v for v in found if v), key=lambda v: version_key(v.version), default=None)


def image_summary(known: ImageKnowledge, links: Links) -> Json:
    """Return an image as lists show it."""
    definition, newest = known.definition, known.newest()
    return {
        "name": definition.name,
        "description": definition.description,
        "os": definition.os.value,
        "image_id": known.image_id,
        "source": _source(definition.source),
        "newest": version_summary(newest, links) if newest else None,
        "url": links.to("images", definition.name),
    }


def image_view(known: ImageKnowledge, links: Links) -> Json:
    """Return everything about an image but its versions and builds, which it links to."""
    definition = known.definition
    return {
        **image_summary(known, links),
        "major": definition.major,
        "hyper_v_generation": definition.hyper_v_generation,
        "architecture": definition.architecture,
        "security_type": definition.security_type,
        "regions": [_region(known, r.name, r.replicas) for r in definition.regions],
        "source_seen": _source_seen(known.source) if known.source else None,
        "customizers": [{"name": c.name, "kind": c.kind.value} for c in definition.customizers],
        "checks": [
            {"name": c.name, "severity": c.severity.value, "timeout_seconds": c.timeout_seconds}
            for c in definition.checks
        ],
        "repairs": [
            {
                "name": r.name,
                "answers": list(r.answers),
                "customizers": [c.name for c in r.customizers],
            }
            for r in definition.repairs
        ],
        "max_attempts": definition.max_attempts,
        "channels_url": links.to("images", definition.name, "channels"),
        "versions_url": links.to("images", definition.name, "versions"),
        "builds_url": links.to("builds", definition=definition.name),
    }


def _source(source: Source) -> Json:
    if isinstance(source, ParentSource):
        return {"image": source.image, "channel": source.channel, "urn": source.urn}
    return {
        "publisher": source.publisher,
        "offer": source.offer,
        "sku": source.sku,
        "urn": source.urn,
    }


def _region(known: ImageKnowledge, name: str, replicas: int) -> Json:
    newest = newest_in_region(list(known.versions), name)
    return {
        "name": name,
        "replicas": replicas,
        "newest_version": newest.version if newest else None,
        "newest_id": newest.resource_id if newest else None,
    }


def _source_seen(seen: SourceRecord) -> Json:
    return {
        "version": seen.version or None,
        "announced_at": instant_or_none(seen.announced_at),
        "checked_at": instant(seen.checked_at),
        "problem": seen.problem or None,
    }


def version_summary(version: ImageVersion, links: Links) -> Json:
    """Return an image version as lists show it."""
    return {
        "definition": version.definition,
        "version": version.version,
        "resource_id": version.resource_id,
        "state": version.state.value,
        "source_version": version.source_version,
        "created_at": instant(version.created_at),
        "published_at": instant_or_none(version.published_at),
        "deleted_at": instant_or_none(version.deleted_at),
        "regions": list(version.regions),
        "excluded_from_latest": version.excluded_from_latest,
        "url": links.to("images", version.definition, "versions", version.version),
    }


def version_view(version: ImageVersion, links: Links) -> Json:
    """Return everything about an image version: what it was made from and what became of it."""
    return {
        **version_summary(version, links),
        "image_id": version.image_id,
        "source_urn": version.source_urn,
        "parent": _parent(version, links),
        "lineage_url": links.to(
            "images", version.definition, "versions", version.version, "lineage"
        ),
        "customization_digest": version.customization_digest,
        "build": version.build_id,
        "build_url": links.to("builds", version.build_id),
        "attempt": version.attempt,
        "tattoo": dict(version.tattoo),
        "evidence": _evidence(version, links),
        "vms_url": links.to("vms", image=version.definition, version=version.version),
        "history": history_view(version.history),
    }


def _parent(version: ImageVersion, links: Links) -> Json | None:
    parent = version.parent
    if parent is None:
        return None
    return {
        "definition": parent.definition,
        "version": parent.version,
        "resource_id": parent.resource_id,
        "url": links.to("images", parent.definition, "versions", parent.version),
    }


def _evidence(version: ImageVersion, links: Links) -> Json:
    """Return what proves the version, as links; null where there is no such document."""
    held, page = version.evidence, ("images", version.definition, "versions", version.version)
    documents = {
        "software_url": ("software", held.software),
        "sbom_url": ("sbom", held.sbom),
        "provenance_url": ("provenance", held.provenance),
    }
    return {
        **{k: links.to(*page, name) if has else None for k, (name, has) in documents.items()},
        "signed_by": held.signed_by or None,
        "provenance_digest": held.provenance or None,
        "statement_digest": held.statement or None,
        "tattoo_digest": held.tattoo or None,
        "compared_with": held.compared_with or None,
        "changes": held.changes or None,
    }
