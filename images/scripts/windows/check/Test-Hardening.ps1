# The settings of Set-Hardening.ps1 as they are in force. Prints JUnit XML.
$ErrorActionPreference = 'Stop'

$cases = [Collections.Generic.List[string]]::new()
$script:failures = 0

function Add-Case {
    param([string] $Name, [scriptblock] $Test)
    $message = $null
    try {
        $found = & $Test
        if ($found -ne $true) {
            $message = "found: $found"
        }
    }
    catch {
        $message = $_.Exception.Message
    }
    $safe = [Security.SecurityElement]::Escape($Name)
    if ($null -eq $message) {
        $cases.Add("<testcase classname=`"hardening`" name=`"$safe`"/>")
        return
    }
    $script:failures++
    $why = [Security.SecurityElement]::Escape($message)
    $cases.Add("<testcase classname=`"hardening`" name=`"$safe`"><failure message=`"$why`"/></testcase>")
}

function Get-Value {
    param([string] $Path, [string] $Name)
    (Get-ItemProperty -Path $Path -Name $Name).$Name
}

$control = 'HKLM:\SYSTEM\CurrentControlSet\Control'
$protocols = "$control\SecurityProviders\SCHANNEL\Protocols"

Add-Case 'SMB 1 is off' { -not (Get-SmbServerConfiguration).EnableSMB1Protocol }
Add-Case 'SMB is signed' { (Get-SmbServerConfiguration).RequireSecuritySignature }
foreach ($protocol in 'SSL 3.0', 'TLS 1.0', 'TLS 1.1') {
    Add-Case "$protocol is off" { (Get-Value "$protocols\$protocol\Server" 'Enabled') -eq 0 }
}
Add-Case 'no plain-text credentials' {
    (Get-Value "$control\SecurityProviders\WDigest" 'UseLogonCredential') -eq 0
}
Add-Case 'only NTLMv2' { (Get-Value "$control\Lsa" 'LmCompatibilityLevel') -eq 5 }
Add-Case 'no multicast names' {
    (Get-Value 'HKLM:\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient' 'EnableMulticast') -eq 0
}
Add-Case 'the firewall is on' {
    -not (Get-NetFirewallProfile | Where-Object { $_.Enabled -ne 'True' })
}

$xml = '<?xml version="1.0" encoding="UTF-8"?>' + "`n" +
    "<testsuite name=`"hardening`" tests=`"$($cases.Count)`" failures=`"$script:failures`">`n" +
    ($cases -join "`n") + "`n</testsuite>"
Write-Output $xml
if ($script:failures -gt 0) {
    exit 1
}
