# Makes WinRM start with Windows and forbids its unencrypted use by policy, which wins over the
# service's own settings. Listeners are left alone: Image Builder is logged in through one.
$ErrorActionPreference = 'Stop'

Set-Service -Name 'WinRM' -StartupType Automatic
$policy = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\WinRM\Service'
New-Item -Path $policy -Force | Out-Null
New-ItemProperty -Path $policy -Name 'AllowUnencryptedTraffic' -Value 0 -PropertyType DWord -Force |
    Out-Null
