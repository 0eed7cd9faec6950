# Adds the enterprise's root certificate to those the image trusts. The certificate here is an
# example, and nobody holds its key: put your own root in its place.
$ErrorActionPreference = 'Stop'

$pem = @'
-----BEGIN CERTIFICATE-----
MIIB5TCCAYugAwIBAgIUTAMHTGp8locddzxP3+CILVi0PAgwCgYIKoZIzj0EAwIw
TzEbMBkGA1UECgwSRXhhbXBsZSBFbnRlcnByaXNlMTAwLgYDVQQDDCdFeGFtcGxl
IEVudGVycHJpc2UgUm9vdCBDQSAocmVwbGFjZSBtZSkwHhcNMjUwMTAxMDAwMDAw
WhcNNDkxMjMxMDAwMDAwWjBPMRswGQYDVQQKDBJFeGFtcGxlIEVudGVycHJpc2Ux
MDAuBgNVBAMMJ0V4YW1wbGUgRW50ZXJwcmlzZSBSb290IENBIChyZXBsYWNlIG1l
KTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJ8QUgPd7HsHeZCNuvXUNpSDul74
stL12ZWZUkZYmnpGa1litERSvHvX2/mx6KjMyUBx+eaAiR1TATVhGi8zhySjRTBD
MBIGA1UdEwEB/wQIMAYBAf8CAQAwDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBTJ
nDuXH78ozlWi5zhv+Bp85FBPOzAKBggqhkjOPQQDAgNIADBFAiEAyB3NPMVOK/aJ
hwg4RIkk3caEImv5XOJM1s4RgErkpqoCIAPmxOfKYZBRUPnmdiojNnu2+S4Hhj66
/oAbniCyluJb
-----END CERTIFICATE-----
'@

$base64 = ($pem -split "`r?`n" | Where-Object { $_ -notmatch '^-----' }) -join ''
$bytes = [Convert]::FromBase64String($base64)
$certificate = [Security.Cryptography.X509Certificates.X509Certificate2]::new($bytes)
$store = [Security.Cryptography.X509Certificates.X509Store]::new('Root', 'LocalMachine')
$store.Open('ReadWrite')
$store.Add($certificate)
$store.Close()
