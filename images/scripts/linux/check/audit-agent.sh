#!/bin/bash
# auditd runs and the kernel holds the image's rules.
set -euo pipefail

systemctl is-active auditd.service
rules="$(auditctl -l)"
for key in identity privilege sshd tattoo modules; do
    if ! grep -Eq -- "(-k |key=)$key\$" <<< "$rules"; then
        printf 'no audit rule has the key %s\n' "$key" >&2
        exit 1
    fi
done
