#!/bin/bash
# Installs what watches over the VM and needs no secret: auditd with rules for who changed what,
# and chrony fed by the clock of the Azure host.
set -euo pipefail
umask 022

root="${ASSAY_ROOT:-}"
export DEBIAN_FRONTEND=noninteractive

apt-get -y -o DPkg::Lock::Timeout=300 install auditd chrony unattended-upgrades

# The kernel cannot watch a folder that is not there; the tattoo comes later.
mkdir -p "$root/etc/assay" "$root/etc/audit/rules.d" "$root/etc/chrony/conf.d"
cat > "$root/etc/audit/rules.d/60-assay.rules" <<'END'
-w /etc/passwd -p wa -k identity
-w /etc/shadow -p wa -k identity
-w /etc/group -p wa -k identity
-w /etc/sudoers -p wa -k privilege
-w /etc/sudoers.d -p wa -k privilege
-w /etc/ssh/sshd_config -p wa -k sshd
-w /etc/ssh/sshd_config.d -p wa -k sshd
-a always,exit -F arch=b64 -S init_module,finit_module,delete_module -k modules
-w /etc/assay -p wa -k tattoo
END
chmod 0640 "$root/etc/audit/rules.d/60-assay.rules"

# Azure gives its VMs the host's clock as a PTP device (Azure docs: Time sync for Linux VMs).
cat > "$root/etc/chrony/conf.d/60-azure.conf" <<'END'
refclock PHC /dev/ptp_hyperv poll 3 dpoll -2 offset 0 stratum 2
makestep 1.0 -1
END

systemctl enable auditd.service chrony.service unattended-upgrades.service
