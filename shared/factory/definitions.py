"""Finding an image definition by name."""

from shared.domain.image_definition import ImageDefinition
from shared.errors import NotFoundError
from shared.ports import Definitions


def definition_named(definitions: Definitions, name: str) -> ImageDefinition:
    """Return the definition called *name*; raises NotFoundError that lists those there are."""
    try:
        return definitions[name]
    except KeyError:
        known = ", ".join(sorted(definitions)) or "none"
        raise NotFoundError(
            f"there is no image definition {name!r}; those in the images folder are: {known}"
        ) from None
