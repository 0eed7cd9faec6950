#!/bin/bash
# Nothing but SSH and the web server listens to the network; what listens on the loopback alone does
# not count, nor does the DHCP client.
set -euo pipefail

allowed='tcp:22 tcp:80 udp:68 udp:546'
surprises=0
while read -r protocol _ _ _ endpoint _; do
    address="${endpoint%:*}"
    address="${address%%\%*}"
    port="${endpoint##*:}"
    case "$address" in
        127.* | '[::1]' | '[::ffff:127.'*) continue ;;
    esac
    if [[ " $allowed " != *" $protocol:$port "* ]]; then
        printf 'listening on %s %s\n' "$protocol" "$endpoint" >&2
        surprises=1
    fi
done < <(ss -H -tuln)
exit "$surprises"
