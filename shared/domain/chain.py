"""Chains: what a golden image may be built from when that is another golden image."""

from collections.abc import Iterable

from shared.domain.build import Build
from shared.domain.image_definition import ImageDefinition, MarketplaceSource, ParentSource
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.parentage import ParentVersion, RootSource
from shared.domain.versions import version_key

LIVE = frozenset({VersionState.RELEASED, VersionState.AGED})
"""States of a version that people may use, and that others may be built from."""


def why_taken_back(version: ImageVersion) -> str:
    """Return why people must not use *version* any more; empty when they may."""
    name = f"version {version.version} of {version.definition}"
    if version.state is VersionState.REVOKED:
        reason = next((t.because for t in reversed(version.history) if t.new == version.state), "")
        return f"{name} is revoked: {reason}" if reason else f"{name} is revoked"
    if version.withdrawn:
        return f"{name} was taken back: {version.withdrawn}"
    return ""


def why_not_buildable(version: ImageVersion) -> str:
    """Return why nothing may be built from *version*; empty when it may be built from."""
    if taken := why_taken_back(version):
        return taken
    name = f"version {version.version} of {version.definition}"
    if version.state not in LIVE:
        return f"{name} is {version.state}"
    if version.deleted_at is not None:
        return f"{name} is no longer in the gallery"
    return ""


def root_of(version: ImageVersion) -> RootSource:
    """Return the Marketplace image that *version* goes back to.

    The pointer to its parent knows it, or else its tattoo, or else the URN, in lower case.
    """
    if version.parent is not None:
        return version.parent.root
    urn = f"{version.source_urn}::".split(":")
    facts = version.tattoo
    return RootSource(
        publisher=facts.get("source-publisher", urn[0]),
        offer=facts.get("source-offer", urn[1]),
        sku=facts.get("source-sku", urn[2]),
        version=facts.get("source-version", version.source_version),
    )


def root_of_build(build: Build, definition: ImageDefinition) -> RootSource:
    """Return the Marketplace image that what *build* makes goes back to.

    The definition spells it as people do; the build's own record counts where a deployment has
    meanwhile changed the definition.
    """
    if build.parent is not None:
        return build.parent.root
    source = definition.source
    if isinstance(source, MarketplaceSource) and source.urn == build.source_urn:
        named = (source.publisher, source.offer, source.sku)
    else:
        publisher, offer, sku, *_ = f"{build.source_urn}::".split(":")
        named = (publisher, offer, sku)
    return RootSource(
        publisher=named[0], offer=named[1], sku=named[2], version=build.source_version
    )


def as_parent(version: ImageVersion) -> ParentVersion:
    """Return *version* as what is kept of a parent with each of its children."""
    return ParentVersion(
        definition=version.definition,
        version=version.version,
        image_id=version.image_id,
        root=root_of(version),
    )


def children_of(
    name: str, definitions: Iterable[ImageDefinition]
) -> list[tuple[ImageDefinition, ParentSource]]:
    """Return the definitions built from a channel of the image called *name*."""
    return [(d, d.parent) for d in definitions if d.parent and d.parent.image == name]


def taken_back(children: Iterable[ImageVersion], shown: ImageVersion) -> ImageVersion | None:
    """Return the newest living child when it comes from a newer parent version than *shown*.

    So it is after a rollback of the parent's channel: the child still carries what was taken
    back. A child that was itself revoked is no such sign.
    """
    living = [c for c in children if c.state in LIVE and c.deleted_at is None]
    newest = max(living, key=lambda c: version_key(c.version), default=None)
    if newest is None or newest.parent is None or newest.parent.definition != shown.definition:
        return None
    newer = version_key(newest.parent.version) > version_key(shown.version)
    return newest if newer else None
