"""The scripts that stamp the tattoo and read it back."""

import pytest

from shared.domain.image_definition import Customizer, CustomizerKind, OperatingSystem
from shared.domain.tattoo_reader import tattoo_reader
from shared.factory.tattoo_customizer import tattoo_customizer


def test_the_linux_tattoo_is_written_from_a_quoted_here_document() -> None:
    facts = {"definition": "ubuntu-22-04", "source-sku": "it's $HOME `id`"}
    assert tattoo_customizer(OperatingSystem.LINUX, facts) == Customizer(
        name="tattoo",
        kind=CustomizerKind.SHELL,
        script="""\
#!/bin/bash
set -euo pipefail
umask 022

cat > "${ASSAY_ROOT:-}/tmp/assay-tattoo" <<'ASSAY_TATTOO'
definition=ubuntu-22-04
source-sku=it's $HOME `id`
ASSAY_TATTOO
install -D -m 0644 "${ASSAY_ROOT:-}/tmp/assay-tattoo" "${ASSAY_ROOT:-}/etc/assay/tattoo"
rm -f "${ASSAY_ROOT:-}/tmp/assay-tattoo"
(
    . "${ASSAY_ROOT:-}/etc/os-release"
    printf 'os-version=%s\\n' "$PRETTY_NAME" >> "${ASSAY_ROOT:-}/etc/assay/tattoo"
)
""",
    )


def test_the_windows_tattoo_is_one_registry_value_for_each_fact() -> None:
    facts = {"definition": "windows-server-2022", "source-sku": "it's \u2018odd\u2019"}
    customizer = tattoo_customizer(OperatingSystem.WINDOWS, facts)
    assert (customizer.name, customizer.kind) == ("tattoo", CustomizerKind.POWERSHELL)
    key = r"HKLM:\SOFTWARE\Assay\Tattoo"
    assert customizer.script.splitlines()[:4] == [
        "$ErrorActionPreference = 'Stop'",
        f"New-Item -Path '{key}' -Force | Out-Null",
        f"New-ItemProperty -Path '{key}' -Name 'definition' -Value 'windows-server-2022' "
        "-PropertyType String -Force | Out-Null",
        f"New-ItemProperty -Path '{key}' -Name 'source-sku' -Value "
        "'it''s \u2018\u2018odd\u2019\u2019' -PropertyType String -Force | Out-Null",
    ]


def test_readers_print_what_was_written() -> None:
    assert tattoo_reader(OperatingSystem.LINUX) == "cat /etc/assay/tattoo\n"
    assert (
        tattoo_reader(OperatingSystem.WINDOWS)
        == r"""$ErrorActionPreference = 'Stop'
$tattoo = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Assay\Tattoo'
foreach ($name in (Get-Item -Path 'HKLM:\SOFTWARE\Assay\Tattoo').Property) {
    $value = $tattoo.$name
    Write-Output "$name=$value"
}
"""
    )


@pytest.mark.parametrize("value", ["a\nASSAY_TATTOO\nrm -rf /", "a\r", "a\u2028b", "a\0"])
@pytest.mark.parametrize("os", list(OperatingSystem))
def test_a_fact_that_is_not_one_line_is_refused(os: OperatingSystem, value: str) -> None:
    with pytest.raises(ValueError, match="the tattoo's source-sku must be one line"):
        tattoo_customizer(os, {"source-sku": value})


@pytest.mark.parametrize("key", ["", "Two Words", "a'b", "a=b"])
def test_a_key_of_other_characters_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="cannot be a key of the tattoo"):
        tattoo_customizer(OperatingSystem.WINDOWS, {key: "x"})
