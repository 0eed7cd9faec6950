"""What an image can be built from now: versions in the Marketplace, or of its parent."""

from shared.domain.image_definition import ImageDefinition, MarketplaceSource, ParentSource
from shared.domain.versions import newest
from shared.errors import NotFoundError
from shared.factory.parents import parent_row, version_shown
from shared.web.app import App
from shared.web.problems import ProblemError, conflict


async def newest_version(definition: ImageDefinition, app: App) -> str:
    """Return the version to build from when the caller names none.

    Raises ProblemError (409) when there is nothing to build from.
    """
    source = definition.source
    if isinstance(source, ParentSource):
        shown = await version_shown(
            source, channels=app.channels, image_versions=app.image_versions
        )
        if shown is None:
            why = f"channel {source.channel} of {source.image} shows no version yet"
            raise _no_source(definition, why)
        return shown.version
    version = newest(await _offered(definition, source, app))
    if version is None:
        raise _no_source(definition, "the Marketplace lists no version of it in our region")
    return version


async def must_exist(definition: ImageDefinition, version: str, app: App) -> None:
    """Raise ProblemError (409) unless *definition* can be built from *version*."""
    source = definition.source
    if isinstance(source, ParentSource):
        try:
            await parent_row(source, version, image_versions=app.image_versions)
        except NotFoundError as error:
            shown = await version_shown(
                source, channels=app.channels, image_versions=app.image_versions
            )
            raise _no_version(f"{error}.", shown.version if shown else None) from error
        return
    listed = await _offered(definition, source, app)
    if version not in listed:
        raise _no_version(
            f"The Marketplace does not offer version {version} of {source.urn}; ask for one it "
            "offers, or for none to get the newest.",
            newest(listed),
        )


async def _offered(definition: ImageDefinition, source: MarketplaceSource, app: App) -> list[str]:
    try:
        return await app.marketplace.versions(source)
    except NotFoundError as error:
        raise _no_source(definition, str(error)) from error


def _no_version(detail: str, best: str | None) -> ProblemError:
    return conflict("source-version-not-found", "Source version not found", detail, newest=best)


def _no_source(definition: ImageDefinition, why: str) -> ProblemError:
    if definition.parent:
        remedy = f"Publish {definition.parent.image!r} first."
    else:
        remedy = "Correct `source` in its definition, or choose a region that offers the image."
    return conflict(
        "source-not-found",
        "Source image not found",
        f"There is nothing to build {definition.name!r} from: {why}. {remedy}",
        source=definition.source.urn,
    )
