# The enterprise root is trusted, and still valid for 30 days.
$ErrorActionPreference = 'Stop'

$thumbprint = 'E849415A61239CA56BB582195BA4460EF8E6AD7D'
$certificate = Get-Item -Path "Cert:\LocalMachine\Root\$thumbprint"
if ($certificate.NotAfter -lt (Get-Date).AddDays(30)) {
    throw "the enterprise root ends on $($certificate.NotAfter)"
}
Write-Output $certificate.Subject
