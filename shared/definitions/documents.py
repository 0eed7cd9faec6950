"""YAML files as plain data that remembers the line of everything in it."""

from dataclasses import dataclass, field

import yaml

from shared.errors import DefinitionError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20

type Place = tuple[str | int, ...]
"""Where something is in a document: `("checks", 2, "timeout_seconds")`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where in the document it is, and what must be different."""

    path: Place
    says: str


@dataclass(slots=True)
class Document:
    """A YAML document: its data, and for each place in it the line and what was written there."""

    data: object = None
    lines: dict[Place, int] = field(default_factory=dict)
    written: dict[Place, str] = field(default_factory=dict)
    """The scalars as they were written, before YAML took some for numbers or dates."""

    def line(self, path: Place) -> int:
        """Return the line of *path*, or of the nearest place around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def field_name(path: Place) -> str:
    """Return *path* as people write it: `checks[2].timeout_seconds`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def read_document(text: str, label: str) -> Document:
    """Read one YAML document; *label* names the file in what is raised.

    Anchors and aliases are refused, so that a small file cannot unfold into a huge one, and so
    are duplicate keys, which YAML readers otherwise resolve without a word.

    Raises DefinitionError with one sentence per fault.
    """
    reader = _Reader(label)
    try:
        return reader.read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise DefinitionError([f"{label}:{line}: is not YAML: {error.problem}"]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DefinitionError([f"{label}:{line}: is not YAML: {error.reason}"]) from error


class _Reader:
    """Turns the node tree of one file into plain data and gathers what is wrong with it."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._document = Document()
        self._problems: list[str] = []

    def read(self, text: str) -> Document:
        self._refuse_references(text)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise DefinitionError([f"{self._label}:1: is empty"])
        self._document.data = self._value(loader, node, ())
        if self._problems:
            raise DefinitionError(self._problems)
        return self._document

    def _refuse_references(self, text: str) -> None:
        """Walk the events, which costs neither memory nor recursion, before any tree is built."""
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if getattr(event, "anchor", None):
                message = "anchors and aliases are not supported: write the value out"
                raise DefinitionError([f"{self._label}:{line}: {message}"])
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH:
                raise DefinitionError([f"{self._label}:{line}: is nested more than {MAX_DEPTH}"])

    def _value(self, loader: yaml.SafeLoader, node: yaml.Node, path: Place) -> object:
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, item, (*path, i)) for i, item in enumerate(node.value)]
        self._document.written[path] = node.value
        return self._scalar(loader, node, path)

    def _scalar(self, loader: yaml.SafeLoader, node: yaml.Node, path: Place) -> object:
        """Construct a scalar; YAML takes 2024-13-45 for a date and then fails on it."""
        try:
            value: object = loader.construct_object(node)
        except ValueError as error:
            line = self._document.line(path)
            self._problems.append(f"{self._label}:{line}: {field_name(path)}: {error}: quote it")
            return None
        return value

    def _mapping(
        self, loader: yaml.SafeLoader, node: yaml.MappingNode, path: Place
    ) -> dict[str, object]:
        pairs: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            place = (*path, key)
            if not isinstance(key_node, yaml.ScalarNode) or key == "<<":
                self._problems.append(f"{self._label}:{line}: keys must be plain names")
            elif key in pairs:
                first = self._document.lines[place]
                self._problems.append(
                    f"{self._label}:{line}: {field_name(place)}: is given twice "
                    f"(first on line {first})"
                )
            else:
                self._document.lines[place] = line
                pairs[key] = self._value(loader, value_node, place)
        return pairs
