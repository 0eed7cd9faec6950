"""The scripts that stamp the tattoo into an image."""

import re

from shared.domain.image_definition import Customizer, CustomizerKind, OperatingSystem
from shared.domain.tattoo import LINUX_PATH, WINDOWS_KEY, render
from shared.domain.verification import TATTOO

_KEY = re.compile(r"[a-z][a-z0-9-]*")

# The quoted delimiter keeps the shell from expanding anything in a value. ASSAY_ROOT is a prefix
# for trying the script outside of an image; in an image it is not set.
_LINUX = """\
#!/bin/bash
set -euo pipefail
umask 022

cat > "${{ASSAY_ROOT:-}}/tmp/assay-tattoo" <<'ASSAY_TATTOO'
{facts}ASSAY_TATTOO
install -D -m 0644 "${{ASSAY_ROOT:-}}/tmp/assay-tattoo" "${{ASSAY_ROOT:-}}{path}"
rm -f "${{ASSAY_ROOT:-}}/tmp/assay-tattoo"
(
    . "${{ASSAY_ROOT:-}}/etc/os-release"
    printf 'os-version=%s\\n' "$PRETTY_NAME" >> "${{ASSAY_ROOT:-}}{path}"
)
"""

_WINDOWS = """\
$ErrorActionPreference = 'Stop'
New-Item -Path '{key}' -Force | Out-Null
{facts}
$system = Get-CimInstance -ClassName Win32_OperatingSystem
$version = "$($system.Caption) $($system.Version)"
New-ItemProperty -Path '{key}' -Name 'os-version' -Value $version -PropertyType String -Force \
| Out-Null
"""


def tattoo_customizer(os: OperatingSystem, facts: dict[str, str]) -> Customizer:
    """Return the customizer that writes *facts* into the guest, and the guest's own `os-version`.

    On Linux they become `key=value` lines of a file, on Windows string values of a registry key.
    Running it again leaves the same tattoo.

    Raises ValueError for a key that is not lower-case letters, digits and hyphens, and for a
    value that is not one line.
    """
    for key, value in facts.items():
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} cannot be a key of the tattoo")
        if len(f"{value}.".splitlines()) != 1 or "\0" in value:
            raise ValueError(f"the tattoo's {key} must be one line, is {value!r}")
    if os is OperatingSystem.WINDOWS:
        return Customizer(name=TATTOO, kind=CustomizerKind.POWERSHELL, script=_windows(facts))
    return Customizer(
        name=TATTOO,
        kind=CustomizerKind.SHELL,
        script=_LINUX.format(facts=render(facts), path=LINUX_PATH),
    )


def _windows(facts: dict[str, str]) -> str:
    lines = (
        f"New-ItemProperty -Path '{WINDOWS_KEY}' -Name '{key}' -Value '{_quoted(value)}' "
        "-PropertyType String -Force | Out-Null"
        for key, value in facts.items()
    )
    return _WINDOWS.format(key=WINDOWS_KEY, facts="\n".join(lines))


def _quoted(value: str) -> str:
    """Double what ends a PowerShell string: it takes typographic single quotes for plain ones.

    Source: PowerShell docs, about_Quoting_Rules.
    """
    return re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", value)
