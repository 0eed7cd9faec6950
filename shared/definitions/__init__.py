"""Image definitions as people write them: YAML files and the scripts they name."""

from shared.definitions.loader import load_definitions

__all__ = ["load_definitions"]
