# Remote management answers on this machine and refuses unencrypted traffic.
$ErrorActionPreference = 'Stop'

if ((Get-Service -Name 'WinRM').Status -ne 'Running') {
    throw 'the WinRM service does not run'
}
Test-WSMan -ComputerName 'localhost' | Out-Null
$unencrypted = (Get-Item -Path 'WSMan:\localhost\Service\AllowUnencrypted').Value
if ($unencrypted -ne 'false') {
    throw "WinRM accepts unencrypted traffic (AllowUnencrypted is $unencrypted)"
}
Write-Output 'WinRM runs and is encrypted'
