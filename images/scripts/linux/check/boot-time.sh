#!/bin/bash
# From the kernel's start to the last unit of the boot in at most 120 seconds.
set -euo pipefail

limit=120
timeout 240 systemctl is-system-running --wait > /dev/null || true # "degraded" is for services.sh
finished="$(systemctl show --value --property=FinishTimestampMonotonic)"
if [[ ! "$finished" =~ ^[1-9][0-9]*$ ]]; then
    printf 'systemd does not say when the boot ended (%s)\n' "$finished" >&2
    exit 1
fi
seconds=$((finished / 1000000))
printf 'booted in %d seconds\n' "$seconds"
[[ "$seconds" -le "$limit" ]]
