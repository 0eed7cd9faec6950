#!/bin/bash
# The enterprise root is among the certificates programs trust, and still valid for 30 days.
set -euo pipefail

root="${ASSAY_ROOT:-}"
certificate="$root/usr/local/share/ca-certificates/example-enterprise-root.crt"

openssl x509 -in "$certificate" -noout -checkend $((30 * 24 * 3600))
openssl verify -no-CApath -CAfile "$root/etc/ssl/certs/ca-certificates.crt" "$certificate"
