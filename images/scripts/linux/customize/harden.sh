#!/bin/bash
# Hardens SSH, the kernel, accounts and updates, each through a file of its own, so that what the
# distribution ships stays untouched and its updates keep working.
set -euo pipefail
umask 022

root="${ASSAY_ROOT:-}"

# write PATH: put standard input there, whole or not at all.
write() {
    mkdir -p "$(dirname "$root$1")"
    cat > "$root$1.new"
    chmod 0644 "$root$1.new"
    mv "$root$1.new" "$root$1"
}

# The first value sshd reads wins, so the file must come before 50-cloud-init.conf. sshd is not
# restarted: the build itself is logged in; the settings hold from the first boot on.
write /etc/ssh/sshd_config.d/00-assay.conf <<'END'
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
X11Forwarding no
AllowAgentForwarding no
MaxAuthTries 4
LoginGraceTime 60
ClientAliveInterval 300
ClientAliveCountMax 3
Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com
END
sshd -t -f "$root/etc/ssh/sshd_config"

write /etc/sysctl.d/60-assay.conf <<'END'
kernel.dmesg_restrict = 1
kernel.kptr_restrict = 2
kernel.yama.ptrace_scope = 1
fs.protected_fifos = 2
fs.protected_regular = 2
fs.suid_dumpable = 0
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.all.accept_source_route = 0
net.ipv4.conf.all.log_martians = 1
net.ipv4.conf.default.accept_redirects = 0
net.ipv6.conf.all.accept_redirects = 0
net.ipv6.conf.default.accept_redirects = 0
net.ipv4.tcp_syncookies = 1
END

# File systems and protocols no cloud VM needs; `install … /bin/false` also stops an explicit load.
write /etc/modprobe.d/60-assay.conf <<'END'
install cramfs /bin/false
install hfs /bin/false
install hfsplus /bin/false
install jffs2 /bin/false
install dccp /bin/false
install rds /bin/false
install sctp /bin/false
install tipc /bin/false
END

write /etc/security/limits.d/60-assay.conf <<'END'
* hard core 0
END

write /etc/profile.d/60-assay-umask.sh <<'END'
umask 027
END

# Names come from DNS alone; the multicast ones would listen to the network.
write /etc/systemd/resolved.conf.d/60-assay.conf <<'END'
[Resolve]
LLMNR=no
MulticastDNS=no
END

write /etc/apt/apt.conf.d/60assay-unattended-upgrades <<'END'
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
Unattended-Upgrade::Automatic-Reboot "false";
END

# login.defs has no folder for additions: change its lines where they are, add those it lacks.
set_login_default() {
    local file="$root/etc/login.defs"
    if grep -Eq "^\s*$1\s" "$file"; then
        sed -i -E "s/^\s*$1\s.*/$1 $2/" "$file"
    else
        printf '%s %s\n' "$1" "$2" >> "$file"
    fi
}
set_login_default UMASK 027
set_login_default PASS_MAX_DAYS 365
set_login_default PASS_MIN_DAYS 1
set_login_default PASS_WARN_AGE 14

chmod 0600 "$root/etc/ssh/sshd_config"
for folder in "$root/etc/cron.d" "$root/etc/cron.daily"; do
    if [[ -d "$folder" ]]; then
        chmod 0700 "$folder"
    fi
done
