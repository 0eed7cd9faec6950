"""YAML as we accept it."""

import pytest

from shared.definitions.documents import read_document
from shared.errors import DefinitionError


def fault(text: str) -> list[str]:
    """Return what is wrong with *text*."""
    with pytest.raises(DefinitionError) as caught:
        read_document(text, "a.yaml")
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a.yaml:1: is empty"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: is not YAML: but found another document"),
        ("a: b: c\n", "a.yaml:1: is not YAML: mapping values are not allowed here"),
        (
            "a:\n\tb: 1\n",
            "a.yaml:2: is not YAML: found character '\\t' that cannot start any token",
        ),
        ("a: \x07\n", "a.yaml:1: is not YAML: special characters are not allowed"),
        ("a: &x 1\n", "a.yaml:1: anchors and aliases are not supported: write the value out"),
        ("a: 1\nb: *x\n", "a.yaml:2: anchors and aliases are not supported: write the value out"),
        ("a:\n  b: 1\n  b: 2\n", "a.yaml:3: a.b: is given twice (first on line 2)"),
        ("[a]: 1\n", "a.yaml:1: keys must be plain names"),
        ("<<: {a: 1}\n", "a.yaml:1: keys must be plain names"),
        ("a: 2024-13-45\n", "a.yaml:1: a: month must be in 1..12: quote it"),
        (
            "a: !!python/name:os.system x\n",
            "a.yaml:1: is not YAML: could not determine a "
            "constructor for the tag 'tag:yaml.org,2002:python/name:os.system'",
        ),
        ("[" * 21 + "]" * 21, "a.yaml:1: is nested more than 20"),
        ("[" * 100_000, "a.yaml:1: is nested more than 20"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(text: str, sentence: str) -> None:
    assert fault(text) == [sentence]


def test_everything_keeps_its_line() -> None:
    document = read_document("a: 1\nb:\n  - c: x\n    d:\n      - 22.04\n", "a.yaml")
    assert document.data == {"a": 1, "b": [{"c": "x", "d": [22.04]}]}
    assert document.lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 0, "c"): 3,
        ("b", 0, "d"): 4,
        ("b", 0, "d", 0): 5,
    }
    assert document.written["b", 0, "d", 0] == "22.04"
    assert document.line(("b", 0, "missing", "deeper")) == 3
