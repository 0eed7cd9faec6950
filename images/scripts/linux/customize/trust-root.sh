#!/bin/bash
# Adds the enterprise's root certificate to those the image trusts. The certificate here is an
# example, and nobody holds its key: put your own root in its place.
set -euo pipefail
umask 022

root="${ASSAY_ROOT:-}"
certificate="$root/usr/local/share/ca-certificates/example-enterprise-root.crt"

mkdir -p "$(dirname "$certificate")"
cat > "$certificate" <<'END'
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
END
chmod 0644 "$certificate"

update-ca-certificates
