# Hardens protocols, audit and firewall. WinRM's Basic authentication is left alone: Image Builder
# itself is logged in through it, over TLS; only its unencrypted use is forbidden.
$ErrorActionPreference = 'Stop'

function Set-RegistryValue {
    param([string] $Path, [string] $Name, [int] $Value)
    if (-not (Test-Path -Path $Path)) {
        New-Item -Path $Path -Force | Out-Null
    }
    New-ItemProperty -Path $Path -Name $Name -Value $Value -PropertyType DWord -Force | Out-Null
}

# SMB 1
Set-SmbServerConfiguration -EnableSMB1Protocol $false -RequireSecuritySignature $true -Force
Set-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Services\mrxsmb10' 'Start' 4

# TLS 1.0 and 1.1
$protocols = 'HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols'
foreach ($protocol in 'SSL 3.0', 'TLS 1.0', 'TLS 1.1') {
    foreach ($side in 'Client', 'Server') {
        Set-RegistryValue "$protocols\$protocol\$side" 'Enabled' 0
        Set-RegistryValue "$protocols\$protocol\$side" 'DisabledByDefault' 1
    }
}

# Credentials: no plain-text copies in memory, no LM and NTLMv1 answers
Set-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\WDigest' `
    'UseLogonCredential' 0
Set-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa' 'LmCompatibilityLevel' 5
Set-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa' 'RestrictAnonymous' 1

# Names come from DNS alone
Set-RegistryValue 'HKLM:\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient' 'EnableMulticast' 0

# Remote management and remote desktop
Set-RegistryValue 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\WinRM\Service' `
    'AllowUnencryptedTraffic' 0
Set-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp' `
    'UserAuthentication' 1

# Firewall: on, and closed to what no rule lets in
Set-NetFirewallProfile -Profile Domain, Private, Public -Enabled True -DefaultInboundAction Block

# Audit: subcategories by GUID, since their names are translated
$subcategories = @{
    'Logon'                   = '{0CCE9215-69AE-11D9-BED3-505054503030}'
    'Special Logon'           = '{0CCE921B-69AE-11D9-BED3-505054503030}'
    'User Account Management' = '{0CCE9235-69AE-11D9-BED3-505054503030}'
    'Process Creation'        = '{0CCE922B-69AE-11D9-BED3-505054503030}'
    'Audit Policy Change'     = '{0CCE922F-69AE-11D9-BED3-505054503030}'
}
foreach ($name in $subcategories.Keys) {
    & auditpol.exe /set "/subcategory:$($subcategories[$name])" /success:enable /failure:enable
    if ($LASTEXITCODE -ne 0) {
        throw "auditpol could not set $name (exit code $LASTEXITCODE)"
    }
}
