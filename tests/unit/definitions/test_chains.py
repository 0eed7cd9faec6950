"""Definitions built from one another."""

from pathlib import Path

import pytest

from shared.definitions import load_definitions
from shared.domain.image_definition import ParentSource
from shared.errors import DefinitionError
from tests.unit.definitions.files import MINIMAL, definition

MARKETPLACE = """\
  publisher: Canonical
  offer: 0001-com-ubuntu-server-jammy
  sku: 22_04-lts-gen2
"""


def image(folder: Path, name: str, source: str = MARKETPLACE, more: str = "") -> None:
    """Write the definition of an image called *name*, built from *source*."""
    text = MINIMAL.replace(MARKETPLACE, source).replace("tiny", name)
    definition(folder, text + more, name=f"{name}.yaml")


def child(folder: Path, name: str, parent: str, channel: str = "stable") -> None:
    image(folder, name, f"  image: {parent}\n  channel: {channel}\n")


def problems(folder: Path) -> list[str]:
    """Return the sentences the folder is refused with, without its name."""
    with pytest.raises(DefinitionError) as refused:
        load_definitions(folder)
    return [problem.removeprefix(f"{folder}/") for problem in refused.value.problems]


def test_an_image_may_be_built_from_a_channel_of_another(tmp_path: Path) -> None:
    image(tmp_path, "base")
    child(tmp_path, "web", "base", "canary")

    web = load_definitions(tmp_path)["web"]

    assert web.source == ParentSource(image="base", channel="canary")
    assert web.source.urn == "base@canary"


def test_chains_may_be_long(tmp_path: Path) -> None:
    image(tmp_path, "n-00")
    for number in range(1, 30):
        child(tmp_path, f"n-{number:02}", f"n-{number - 1:02}")

    assert len(load_definitions(tmp_path)) == 30


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            "  image: base\n  channel: stable\n  sku: x\n",
            "web.yaml:5: source: is either a Marketplace image (publisher, offer and sku) or "
            "another golden image (image and channel), this one has sku, image, channel",
        ),
        ("  image: base\n", "web.yaml:5: source.channel: is missing"),
        ("  channel: stable\n", "web.yaml:5: source.image: is missing"),
        ("  publisher: a\n  offer: b\n", "web.yaml:5: source.sku: is missing"),
        (
            "  {}\n",
            "web.yaml:5: source: needs publisher, offer and sku of a Marketplace image, or image "
            "and channel of another definition",
        ),
        (
            "  image: bsae\n  channel: stable\n",
            "web.yaml:6: source.image: there is no definition bsae; there are: base",
        ),
        (
            "  image: base\n  channel: beta\n",
            "web.yaml:7: source.channel: base has no channel beta; it has: canary, stable",
        ),
        (
            "  image: Base\n  channel: stable\n",
            "web.yaml:6: source.image: must be 2 to 40 lower-case letters, digits and hyphens, a "
            "letter first, is 'Base'",
        ),
        (
            "  image: base\n  channel:\n",
            "web.yaml:7: source.channel: is empty",
        ),
    ],
)
def test_a_source_that_makes_no_sense_is_refused(
    tmp_path: Path, source: str, sentence: str
) -> None:
    image(tmp_path, "base")
    image(tmp_path, "web", source)

    assert problems(tmp_path) == [sentence]


def test_a_child_must_be_of_its_parents_kind(tmp_path: Path) -> None:
    image(tmp_path, "base")
    text = "  image: base\n  channel: stable\n"
    image(tmp_path, "web", text)
    written = (tmp_path / "web.yaml").read_text()
    changed = written.replace("os: linux", "os: windows").replace(
        "  sku: web\n", "  sku: web\n  security_type: TrustedLaunchSupported\n"
    )
    (tmp_path / "web.yaml").write_text(changed)

    assert problems(tmp_path) == [
        "web.yaml:6: source.image: os must be that of base, linux, is windows",
        "web.yaml:6: source.image: security_type must be that of base, none, is "
        "TrustedLaunchSupported",
    ]


def test_a_circle_is_refused_once_with_the_whole_way_round(tmp_path: Path) -> None:
    child(tmp_path, "web", "base")
    child(tmp_path, "base", "tools")
    child(tmp_path, "tools", "web")
    child(tmp_path, "outside", "web")

    assert problems(tmp_path) == [
        "base.yaml:6: source.image: goes round in a circle: base from tools from web from base"
    ]


def test_an_image_is_not_built_from_itself(tmp_path: Path) -> None:
    child(tmp_path, "web", "web")

    assert problems(tmp_path) == ["web.yaml:6: source.image: goes round in a circle: web from web"]


def test_two_circles_are_two_problems(tmp_path: Path) -> None:
    for name, parent in (("aa", "bb"), ("bb", "aa"), ("cc", "dd"), ("dd", "cc")):
        child(tmp_path, name, parent)

    assert problems(tmp_path) == [
        "aa.yaml:6: source.image: goes round in a circle: aa from bb from aa",
        "cc.yaml:6: source.image: goes round in a circle: cc from dd from cc",
    ]


def test_a_parent_with_faults_of_its_own_is_not_called_missing(tmp_path: Path) -> None:
    image(tmp_path, "base", more="nonsense: 1\n")
    child(tmp_path, "web", "base")

    assert problems(tmp_path) == [
        "base.yaml:15: nonsense: is not a field of an image definition here"
    ]
