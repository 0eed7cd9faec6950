#!/bin/bash
# Removes what belongs to the build VM and not to the image. Host keys, the provisioning account
# and the agent's state are left to Image Builder, which deprovisions the VM at the end
# (waagent -force -deprovision+user); without host keys it could not log in again before that.
set -euo pipefail

root="${ASSAY_ROOT:-}"

apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/crash/*
find "$root/var/log" -type f -name '*.gz' -delete
find "$root/var/log" -type f -exec truncate -s 0 {} +

# An empty machine-id is filled at the first boot; a missing one would make systemd treat every
# boot as the first.
truncate -s 0 "$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root/root/.bash_history"
