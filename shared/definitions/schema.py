"""The JSON Schemas of the files people write, for editors."""

import json

from pydantic import BaseModel

from shared.definitions.file_format import DefinitionFile
from shared.definitions.fleet_format import FleetFile


def schema_text() -> str:
    """Return the JSON Schema of an image definition, as committed under docs/schemas."""
    return _text(DefinitionFile)


def fleet_schema_text() -> str:
    """Return the JSON Schema of the fleet policy, as committed under docs/schemas."""
    return _text(FleetFile)


def _text(model: type[BaseModel]) -> str:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
