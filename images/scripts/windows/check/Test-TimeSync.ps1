# The time service runs and has a source.
$ErrorActionPreference = 'Stop'

$deadline = (Get-Date).AddMinutes(2)
do {
    $source = (& w32tm.exe /query /source) -join ' '
    $known = $LASTEXITCODE -eq 0 -and $source -notmatch 'Local CMOS Clock|Free-running'
    if (-not $known) {
        Start-Sleep -Seconds 10
    }
} until ($known -or (Get-Date) -gt $deadline)
if (-not $known) {
    throw "the clock follows nothing: $source"
}
Write-Output $source
