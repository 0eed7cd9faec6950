# Installs Defender's feature where it is missing, and updates what it knows.
$ErrorActionPreference = 'Stop'

if (-not (Get-WindowsFeature -Name 'Windows-Defender').Installed) {
    Install-WindowsFeature -Name 'Windows-Defender' | Out-Null
}
Update-MpSignature
