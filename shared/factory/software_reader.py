"""The scripts that list what is installed in a running VM, a part at a time.

Azure keeps the last 4,096 bytes of what a run command prints, and a list of packages is far longer
even when compressed. So the guest writes the list into a file once, and every run command prints
one part of it, under a line that says how long the whole is and what its digest is.
"""

from shared.domain.image_definition import OperatingSystem

PART = 3840
"""Characters of a part; with the line above it a part is under 4,096 bytes."""
MARK = "assay-report"
"""First word of that line; after it come the characters in all and their SHA-256."""
TIMEOUT_SECONDS = 300

# `dd` and not `head`: a reader that stops early would end the writer, and with it the script.
# The list is written under another name first, so that a part never sees half of it.
_LINUX = """\
#!/bin/bash
set -euo pipefail
export LC_ALL=C
part={part} size={size}
root="${{ASSAY_ROOT:-}}"
report="$root/run/assay-report"

list_software() {{
    (
        . "$root/etc/os-release"
        printf 'system\\tid\\t%s\\n' "${{ID:-linux}}"
        printf 'system\\tversion\\t%s\\n' "${{VERSION_ID:-}}"
        printf 'system\\tname\\t%s\\n' "${{PRETTY_NAME:-}}"
    )
    printf 'system\\tkernel\\t%s\\n' "$(uname -r)"
    printf 'system\\tarchitecture\\t%s\\n' "$(uname -m)"
    if command -v dpkg-query > /dev/null; then
        fields='${{Package}}\\t${{Version}}\\t${{Architecture}}\\n'
        dpkg-query -W -f="\\${{db:Status-Status}}\\tdeb\\t$fields" \\
            | sed -n 's/^installed\\t//p'
    fi
    if command -v rpm > /dev/null; then
        rpm -qa --qf 'rpm\\t%{{NAME}}\\t%{{EVR}}\\t%{{ARCH}}\\n' | sed '/^rpm\\tgpg-pubkey\\t/d'
    fi
}}

if [[ ! -s $report ]]; then
    fresh="$(mktemp "$report.XXXXXX")"
    list_software | gzip -9n | base64 -w 0 > "$fresh"
    mv -f "$fresh" "$report"
fi
printf '{mark} %s %s\\n' "$(stat -c %s "$report")" "$(sha256sum < "$report" | cut -d ' ' -f 1)"
dd if="$report" bs="$size" skip="$((part - 1))" count=1 status=none
"""

_WINDOWS = """\
$ErrorActionPreference = 'Stop'
$part = {part}
$size = {size}
$report = Join-Path $env:SystemRoot 'Temp\\assay-report.txt'
if (-not (Test-Path -LiteralPath $report)) {{
    $lines = [System.Collections.Generic.List[string]]::new()
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    $current = Get-ItemProperty -Path 'HKLM:\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion'
    $lines.Add("system`tid`twindows")
    $lines.Add("system`tversion`t$($system.Version)")
    $lines.Add("system`tname`t$($system.Caption)")
    $lines.Add("system`tbuild`t$($system.BuildNumber).$($current.UBR)")
    $lines.Add("system`tarchitecture`t$($env:PROCESSOR_ARCHITECTURE)")
    foreach ($hotfix in Get-HotFix) {{
        $on = ''
        if ($hotfix.InstalledOn) {{ $on = $hotfix.InstalledOn.ToString('yyyy-MM-dd') }}
        $lines.Add("hotfix`t$($hotfix.HotFixID)`t$on")
    }}
    $keys = 'HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\*',
        'HKLM:\\SOFTWARE\\WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\*'
    foreach ($program in Get-ItemProperty -Path $keys -ErrorAction SilentlyContinue) {{
        if ($program.DisplayName) {{
            $fields = $program.DisplayName, $program.DisplayVersion, $program.Publisher
            $lines.Add("program`t" + (($fields -replace '\\s+', ' ') -join "`t"))
        }}
    }}
    $text = [System.Text.Encoding]::UTF8.GetBytes(($lines -join "`n") + "`n")
    $packed = [System.IO.MemoryStream]::new()
    $level = [System.IO.Compression.CompressionLevel]::Optimal
    $gzip = [System.IO.Compression.GZipStream]::new($packed, $level)
    $gzip.Write($text, 0, $text.Length)
    $gzip.Dispose()
    [System.IO.File]::WriteAllText($report, [Convert]::ToBase64String($packed.ToArray()))
}}
$all = [System.IO.File]::ReadAllText($report)
$sum = (Get-FileHash -LiteralPath $report -Algorithm SHA256).Hash.ToLowerInvariant()
Write-Output "{mark} $($all.Length) $sum"
$start = ($part - 1) * $size
Write-Output $all.Substring($start, [Math]::Min($size, $all.Length - $start))
"""


def software_reader(os: OperatingSystem, part: int) -> str:
    """Return the script that prints part number *part* (from 1) of what is installed."""
    script = _WINDOWS if os is OperatingSystem.WINDOWS else _LINUX
    return script.format(part=part, size=PART, mark=MARK)
