#!/bin/bash
# The image leaves room: at most 60 % of the root file system and of its inodes are used.
set -euo pipefail

limit=60
for what in pcent ipcent; do
    used="$(df --output="$what" / | tail -n 1 | tr -dc '0-9')"
    printf '%s %s\n' "$what" "${used:-none}"
    if [[ -n "$used" && "$used" -gt "$limit" ]]; then
        printf '%s is %s %%, more than %s %%\n' "$what" "$used" "$limit" >&2
        exit 1
    fi
done
