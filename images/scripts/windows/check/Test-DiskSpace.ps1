# The image leaves room: at least 40 % of the system drive is free.
$ErrorActionPreference = 'Stop'

$drive = Get-Volume -DriveLetter $env:SystemDrive[0]
$free = [math]::Floor(100 * $drive.SizeRemaining / $drive.Size)
Write-Output "$free % free"
if ($free -lt 40) {
    exit 1
}
