"""What people are told about a definition that is wrong: the exact sentences."""

from pathlib import Path

import pytest

from shared.definitions import load_definitions
from shared.errors import DefinitionError
from tests.unit.definitions.files import MINIMAL, definition, script


def problems(folder: Path) -> list[str]:
    """Load *folder* and return what is wrong, the folder's own path left out."""
    with pytest.raises(DefinitionError) as caught:
        load_definitions(folder)
    return [problem.replace(f"{folder}/", "") for problem in caught.value.problems]


def of(folder: Path, text: str) -> list[str]:
    """Return what is wrong with one definition of *text*."""
    definition(folder, text)
    return problems(folder)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "name: tiny\n",
            "name: Tiny\n",
            "tiny.yaml:1: name: must be 2 to 40 lower-case letters, digits and hyphens, a letter "
            "first, is 'Tiny'",
        ),
        (
            "name: tiny\n",
            "name: other\n",
            "tiny.yaml:1: name: must be the name of the file, tiny, is other",
        ),
        ("os: linux", "os: beos", "tiny.yaml:3: os: must be 'linux' or 'windows', is 'beos'"),
        ("major: 1", "major: -1", "tiny.yaml:4: major: must be at least 0, is -1"),
        ("major: 1", "major: one", "tiny.yaml:4: major: must be a whole number, is 'one'"),
        ("major: 1", "major: true", "tiny.yaml:4: major: must be a whole number, is true"),
        ("major: 1\n", "", "tiny.yaml:1: major: is missing"),
        (
            "sku: 22_04-lts-gen2",
            "sku: 22.04",
            "tiny.yaml:8: source.sku: must be a text, but YAML does not read 22.04 as one: put it "
            "in quotes",
        ),
        ("sku: 22_04-lts-gen2", "sku:", "tiny.yaml:8: source.sku: is empty"),
        (
            "sku: 22_04-lts-gen2",
            "sku: [a]",
            "tiny.yaml:8: source.sku: must be a text, is a list",
        ),
        (
            "  sku: tiny",
            "  sku: tiny\n  securty_type: x",
            "tiny.yaml:13: gallery_image.securty_type: is not a field of an image definition "
            "here; did you mean security_type?",
        ),
        (
            "  sku: tiny",
            "  sku: tiny.",
            "tiny.yaml:12: gallery_image.sku: must be 1 to 64 letters, digits, dots, underscores "
            "and hyphens, with a letter or digit first and no dot last, is 'tiny.'",
        ),
        (
            "  sku: tiny",
            "  sku: tiny\n  hyper_v_generation: V1\n  security_type: TrustedLaunchSupported",
            "tiny.yaml:14: gallery_image.security_type: TrustedLaunchSupported needs "
            "hyper_v_generation V2",
        ),
        (
            "regions:\n  - name: West Europe",
            "regions: []",
            "tiny.yaml:13: regions: must not be empty",
        ),
        (
            "regions:\n  - name: West Europe",
            "regions: westeurope",
            "tiny.yaml:13: regions: must be a list, is 'westeurope'",
        ),
        (
            "  - name: West Europe",
            "  - name: West Europe\n  - name: westeurope",
            "tiny.yaml:15: regions[1].name: westeurope is in the list already",
        ),
        (
            "  - name: West Europe",
            "  - name: Köln!",
            "tiny.yaml:14: regions[0].name: 'köln!' is no region such as westeurope",
        ),
        (
            "  - name: West Europe",
            "  - name: West Europe\n    replicas: 101",
            "tiny.yaml:15: regions[0].replicas: must be at most 100, is 101",
        ),
        (
            "regions:",
            "build: {timeout_minutes: 5}\nregions:",
            "tiny.yaml:13: build.timeout_minutes: must be at least 6, is 5",
        ),
        (
            "regions:",
            "verify: {timeout_minutes: 5, boot_seconds: 300}\nregions:",
            "tiny.yaml:13: verify.boot_seconds: must be less than verify.timeout_minutes, to leave "
            "time for checks",
        ),
        (
            "regions:",
            "source: {}\nregions:",
            "tiny.yaml:13: source: is given twice (first on line 5)",
        ),
        (
            "regions:",
            "customizers: {}\nregions:",
            "tiny.yaml:13: customizers: must be a list, is a group of fields",
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert of(tmp_path, MINIMAL.replace(old, new, 1)) == [sentence]


@pytest.mark.parametrize(
    ("more", "sentences"),
    [
        (
            "checks:\n  - {name: a, shell: a.sh}\n",
            [
                "tiny.yaml:16: checks[0].name: must be 2 to 40 lower-case letters, digits and "
                "hyphens, a letter first, is 'a'"
            ],
        ),
        (
            "checks:\n  - name: slow\n    shell: a.sh\n    timeout_seconds: 9000\n",
            ["tiny.yaml:18: checks[0].timeout_seconds: must be at most 5400, is 9000"],
        ),
        (
            "checks:\n  - name: slow\n    shell: a.sh\n    timeout_seconds: 3601\n",
            [
                "tiny.yaml:18: checks[0].timeout_seconds: must be at most verify.timeout_minutes "
                "(3600 seconds), is 3601"
            ],
        ),
        (
            "checks:\n  - {name: boot, shell: a.sh}\n",
            ["tiny.yaml:16: checks[0].name: boot is a name Assay uses itself"],
        ),
        (
            "checks:\n  - {name: one, shell: a.sh}\n  - {name: one, shell: a.sh}\n",
            ["tiny.yaml:17: checks[1].name: one is used above already"],
        ),
        (
            "checks:\n  - {name: one}\n",
            ["tiny.yaml:16: checks[0]: a check has exactly one action, this one has none"],
        ),
        (
            "customizers:\n  - {name: one, shell: a.sh, powershell: b.ps1}\n",
            [
                "tiny.yaml:16: customizers[0]: a customizer has exactly one action, this one has "
                "shell and powershell",
                "tiny.yaml:16: customizers[0].powershell: is not for linux",
            ],
        ),
        (
            "customizers:\n  - {name: one, windows_restart: true}\n",
            ["tiny.yaml:16: customizers[0].windows_restart: is not for linux"],
        ),
        (
            "customizers:\n  - {name: one, windows_restart: false}\n",
            ["tiny.yaml:16: customizers[0].windows_restart: must be true, is false"],
        ),
        (
            "customizers:\n  - {name: tattoo, shell: a.sh}\n",
            ["tiny.yaml:16: customizers[0].name: tattoo is the name of Assay's own customizer"],
        ),
        (
            "customizers:\n  - {name: one, shell: a.sh}\n"
            "repairs:\n  - name: again\n    answers: [sshd]\n"
            "    customizers: [{name: one, shell: a.sh}]\n",
            [
                "tiny.yaml:19: repairs[0].answers[0]: there is no check sshd; there are boot, "
                "vm-agent, tattoo, software, verify, customize",
                "tiny.yaml:20: repairs[0].customizers[0].name: one is used above already",
            ],
        ),
        (
            "checks: [" + ", ".join(f"{{name: c{i:02}, shell: a.sh}}" for i in range(21)) + "]\n",
            ["tiny.yaml:15: checks: has 21 entries, at most 20 may be"],
        ),
    ],
)
def test_the_parts_of_a_definition_must_fit_together(
    tmp_path: Path, more: str, sentences: list[str]
) -> None:
    script(tmp_path, "a.sh")
    script(tmp_path, "b.ps1")
    assert of(tmp_path, MINIMAL + more) == sentences


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "a.sh is empty"),
        (
            "#!/bin/bash\r\ntrue\r\n",
            "a.sh has a Windows line end on line 1: save it with LF line ends",
        ),
        ("\ufeff#!/bin/bash\n", "a.sh starts with a byte order mark: save it as UTF-8 without one"),
        (b"#!/bin/bash\n\xff\n", "a.sh is not UTF-8 (byte 12)"),
        (b"#!/bin/bash\n\0\n", "a.sh holds a NUL character, so it is no text"),
        (
            "echo\n",
            "a.sh does not start with #!, so the guest would choose the shell: write #!/bin/bash",
        ),
        ("#!" + "x" * 262_143, "a.sh is 262145 bytes long, at most 262144 may be"),
    ],
)
def test_a_script_must_be_one_the_guest_can_run(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    script(tmp_path, "a.sh", content)
    assert of(tmp_path, MINIMAL + "checks:\n  - name: one\n    shell: a.sh\n") == [
        f"tiny.yaml:17: checks[0].shell: {sentence}"
    ]


def test_a_script_must_be_inside_of_the_folder(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    script(tmp_path, "outside.sh")
    (images / "link.sh").symlink_to(tmp_path / "outside.sh")
    more = f"""\
customizers:
  - {{name: up, shell: ../outside.sh}}
  - {{name: link, shell: link.sh}}
  - {{name: absolute, shell: {tmp_path}/outside.sh}}
  - {{name: gone, shell: gone.sh}}
"""
    outside = "is outside of the folder of the definitions"
    definition(images, MINIMAL + more)
    assert problems(images) == [
        f"tiny.yaml:16: customizers[0].shell: ../outside.sh {outside}",
        f"tiny.yaml:17: customizers[1].shell: link.sh {outside}",
        f"tiny.yaml:18: customizers[2].shell: {tmp_path}/outside.sh {outside}",
        "tiny.yaml:19: customizers[3].shell: there is no file gone.sh in the folder of the "
        "definitions",
    ]


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    definition(tmp_path, "name: [\n", name="broken.yaml")
    definition(tmp_path, MINIMAL.replace("major: 1", "major: x").replace("os: linux", "os: x"))
    assert problems(tmp_path) == [
        "broken.yaml:2: is not YAML: expected the node content, but found '<stream end>'",
        "tiny.yaml:3: os: must be 'linux' or 'windows', is 'x'",
        "tiny.yaml:4: major: must be a whole number, is 'x'",
    ]


def test_two_definitions_share_neither_name_nor_place_in_the_gallery(tmp_path: Path) -> None:
    definition(tmp_path, name="tiny.yaml")
    definition(tmp_path, name="tiny.yml")
    definition(tmp_path, MINIMAL.replace("name: tiny", "name: zwei", 1), name="zwei.yaml")
    assert problems(tmp_path) == [
        "tiny.yml:1: name: tiny is the name of two files",
        "zwei.yaml:1: gallery_image: publisher, offer and sku together are those of tiny; the "
        "gallery asks for another combination",
    ]


def test_a_folder_without_definitions_is_no_folder_of_definitions(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_definitions(tmp_path)
    assert caught.value.problems == [f"{tmp_path}: there is no image definition (*.yaml) in it"]
    with pytest.raises(DefinitionError) as caught:
        load_definitions(tmp_path / "gone")
    assert caught.value.problems == [f"{tmp_path}/gone: there is no such folder"]


def test_a_mistyped_field_deep_inside_is_told_what_it_may_be(tmp_path: Path) -> None:
    more = "repairs: [{name: mend, answers: [boot], customizers: [{name: again, shel: a.sh}]}]\n"
    assert of(tmp_path, MINIMAL + more) == [
        "tiny.yaml:15: repairs[0].customizers[0].shel: is not a field of an image definition "
        "here; did you mean shell?"
    ]


def test_a_file_that_is_no_text_or_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"name: a\n# \xff\n")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "long.yaml").write_bytes(b"#" * 1_048_577)
    assert problems(tmp_path) == [
        "bytes.yaml:2: is not UTF-8",
        "folder.yaml:1: cannot be read: Is a directory",
        "long.yaml:1: is longer than 1048576 bytes",
    ]
