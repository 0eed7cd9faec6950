#!/bin/bash
# Makes the hardened SSH settings win: other additions are set aside, and the main file includes
# the folder first, as the distribution ships it.
set -euo pipefail

root="${ASSAY_ROOT:-}"
config="$root/etc/ssh/sshd_config"
include='Include /etc/ssh/sshd_config.d/*.conf'

for other in "$root"/etc/ssh/sshd_config.d/*.conf; do
    if [[ -e "$other" && "$(basename "$other")" != 00-assay.conf ]]; then
        mv "$other" "$other.set-aside"
    fi
done

{
    printf '%s\n' "$include"
    grep -Fxv "$include" "$config" || true # grep says 1 when no line is left
} > "$config.new"
chmod 0600 "$config.new"
mv "$config.new" "$config"
sshd -t -f "$config"
