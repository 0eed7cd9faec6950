"""Reads the folder of image definitions: all of it, or all that is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from shared.definitions.chains import faults_of_chains
from shared.definitions.conversion import to_domain
from shared.definitions.documents import MAX_BYTES, Document, Problem, field_name, read_document
from shared.definitions.file_format import DefinitionFile
from shared.definitions.rules import problems_between
from shared.definitions.sentences import problems_of
from shared.domain.image_definition import ImageDefinition
from shared.errors import DefinitionError

SUFFIXES = (".yaml", ".yml")


def load_definitions(folder: Path) -> dict[str, ImageDefinition]:
    """Read every definition in *folder* (not in folders below it), by name.

    Raises DefinitionError that names every fault of every file at once, each with file, line
    and field.
    """
    if not folder.is_dir():
        raise DefinitionError([f"{folder}: there is no such folder"])
    definitions: dict[str, ImageDefinition] = {}
    problems: list[str] = []
    paths = sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES)
    for path in paths:
        try:
            definition = load_definition(path)
        except DefinitionError as error:
            problems.extend(error.problems)
            continue
        problems.extend(_clashes(path, definition, definitions))
        definitions[definition.name] = definition
    problems.extend(_chain_problems(paths, definitions))
    if not definitions and not problems:
        problems.append(f"{folder}: there is no image definition (*.yaml) in it")
    if problems:
        raise DefinitionError(problems)
    return definitions


def load_definition(path: Path) -> ImageDefinition:
    """Read one definition; the scripts it names are relative to its own folder.

    Raises DefinitionError that names every fault at once.
    """
    document = read_document(text_of(path), str(path))
    file, problems = _validate(document, path.stem)
    if file is not None:
        definition, of_scripts = to_domain(file, path.parent)
        problems = [*problems, *of_scripts]
        if not problems:
            return definition
    ordered = sorted(problems, key=lambda p: document.line(p.path))
    raise DefinitionError([sentence_of(path, document, problem) for problem in ordered])


def text_of(path: Path) -> str:
    """Read a file of UTF-8; DefinitionError when it is none, or too large."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DefinitionError([f"{path}:1: cannot be read: {error.strerror}"]) from error
    if len(raw) > MAX_BYTES:
        raise DefinitionError([f"{path}:1: is longer than {MAX_BYTES} bytes"])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DefinitionError([f"{path}:{line}: is not UTF-8"]) from error


def _validate(document: Document, stem: str) -> tuple[DefinitionFile | None, list[Problem]]:
    try:
        file = DefinitionFile.model_validate(document.data)
    except ValidationError as error:
        return None, problems_of(error, document)
    return file, problems_between(file, stem)


def sentence_of(path: Path, document: Document, problem: Problem) -> str:
    """Return *problem* in a sentence that names file, line and field."""
    where = f"{path}:{document.line(problem.path)}"
    name = field_name(problem.path)
    return f"{where}: {name}: {problem.says}" if name else f"{where}: {problem.says}"


def _clashes(
    path: Path, definition: ImageDefinition, others: dict[str, ImageDefinition]
) -> list[str]:
    """Two definitions may share neither a name nor a place in the gallery."""
    problems = [
        f"{path}:1: gallery_image: publisher, offer and sku together are those of "
        f"{other.name}; the gallery asks for another combination"
        for other in others.values()
        if _gallery_key(other) == _gallery_key(definition) and other.name != definition.name
    ]
    if definition.name in others:
        problems.append(f"{path}:1: name: {definition.name} is the name of two files")
    return problems


def _chain_problems(
    paths: Sequence[Path], definitions: Mapping[str, ImageDefinition]
) -> Iterator[str]:
    """Yield what is wrong between definitions; each file's name is that of its definition."""
    by_name = {path.stem: path for path in paths}
    unread = frozenset(by_name.keys() - definitions.keys())
    for name, field, says in faults_of_chains(definitions, unread):
        path = by_name[name]
        problem = Problem(("source", field), says)
        yield sentence_of(path, read_document(text_of(path), str(path)), problem)


def _gallery_key(definition: ImageDefinition) -> tuple[str, str, str]:
    return (definition.publisher.lower(), definition.offer.lower(), definition.sku.lower())
