"""The JSON Schema of image definitions, for editors."""

import json

from shared.definitions.file_format import DefinitionFile


def schema_text() -> str:
    """Return the JSON Schema of an image definition, as committed under docs/schemas."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **DefinitionFile.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
