"""The script that prints the tattoo of a running VM: the only one ever run in VMs of our users."""

from shared.domain.image_definition import OperatingSystem
from shared.domain.tattoo import LINUX_PATH, WINDOWS_KEY

TIMEOUT_SECONDS = 120
"""How long the script may run: it reads one small file, so this is our bound for a busy guest."""

_WINDOWS = """\
$ErrorActionPreference = 'Stop'
$tattoo = Get-ItemProperty -Path '{key}'
foreach ($name in (Get-Item -Path '{key}').Property) {{
    $value = $tattoo.$name
    Write-Output "$name=$value"
}}
"""


def tattoo_reader(os: OperatingSystem) -> str:
    """Return the script that prints the tattoo of a running VM as `key=value` lines.

    It ends with another code than 0 where there is none.
    """
    if os is OperatingSystem.WINDOWS:
        return _WINDOWS.format(key=WINDOWS_KEY)
    return f"cat {LINUX_PATH}\n"
