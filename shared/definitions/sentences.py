"""What pydantic finds wrong with a file, in sentences for the people who wrote it."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel, ValidationError

from shared.definitions.documents import Document, Place, Problem
from shared.definitions.file_format import PATTERNS, DefinitionFile

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_SENTENCES = {
    "missing": "is missing",
    "greater_than": "must be more than {gt}, is {given}",
    "float_type": "must be a number, is {given}",
    "greater_than_equal": "must be at least {ge}, is {given}",
    "less_than_equal": "must be at most {le}, is {given}",
    "string_pattern_mismatch": "{words}, is {given}",
    "literal_error": "must be {wanted}, is {given}",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length} characters",
    "too_short": "must not be empty",
    "too_long": "has {actual_length} entries, at most {max_length} may be",
    "int_type": "must be a whole number, is {given}",
    "list_type": "must be a list, is {given}",
    "model_type": "must be a group of fields, is {given}",
}
"""By pydantic's name of the fault; filled in with its context and the value given."""


def problems_of(
    error: ValidationError,
    document: Document,
    *,
    model: type[BaseModel] = DefinitionFile,
    kind: str = "an image definition",
) -> list[Problem]:
    """Return one problem per fault in *error*, each at its place in *document*.

    *model* is that of the whole document, *kind* what people call it.
    """
    return [
        Problem(tuple(detail["loc"]), _says(detail, document, model, kind))
        for detail in error.errors(include_url=False)
    ]


def _says(
    detail: "ErrorDetails", document: Document, model: type[BaseModel], file_kind: str
) -> str:
    kind, path, given = detail["type"], tuple(detail["loc"]), detail["input"]
    if kind == "extra_forbidden":
        return _unknown_field(path, model, file_kind)
    if given is None:
        return "is empty"
    if kind == "string_type":
        return _not_a_text(given, document.written.get(path, ""))
    context = dict(detail.get("ctx", {}))
    words = PATTERNS.get(str(context.get("pattern")), "")
    wanted = str(context.pop("expected", "")).replace("True", "true")
    sentence = _SENTENCES.get(kind)
    if sentence is None:
        return detail["msg"]
    context = {name: _plain(value) for name, value in context.items()}
    return sentence.format(**context, words=words, wanted=wanted, given=_shown(given))


def _plain(value: object) -> object:
    """Return a bound as people write it: 1, not 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _not_a_text(given: object, written: str) -> str:
    """YAML takes 22.04 for a number, `on` for a truth value and 2024-01-01 for a date."""
    if isinstance(given, list | dict):
        return f"must be a text, is {_shown(given)}"
    return f"must be a text, but YAML does not read {written} as one: put it in quotes"


def _shown(given: object) -> str:
    if isinstance(given, list):
        return "a list"
    if isinstance(given, dict):
        return "a group of fields"
    if isinstance(given, bool):
        return str(given).lower()
    return repr(given)


def _unknown_field(path: Place, model: type[BaseModel], file_kind: str) -> str:
    close = get_close_matches(str(path[-1]), _fields_at(path[:-1], model), n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"is not a field of {file_kind} here{hint}"


def _fields_at(path: Place, model: type[BaseModel]) -> list[str]:
    """Return the names of the fields of the section *path* leads to, in a document of *model*."""
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            sections = [a for a in (annotation, *get_args(annotation)) if _is_section(a)]
            model = sections[0]
    return list(model.model_fields)


def _is_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
