#!/bin/bash
# What sshd really does, after every file it includes.
set -euo pipefail

settings="$(sshd -T)"
failed=0
while read -r wanted; do
    if ! grep -Fxiq "$wanted" <<< "$settings"; then
        printf 'sshd does not have: %s\n' "$wanted" >&2
        failed=1
    fi
done <<'END'
permitrootlogin no
passwordauthentication no
kbdinteractiveauthentication no
permitemptypasswords no
x11forwarding no
maxauthtries 4
END
exit "$failed"
