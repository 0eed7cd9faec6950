#!/bin/bash
# The kernel's and the accounts' settings as they are in force. Prints TAP.
# shellcheck disable=SC2329 # report calls the functions by name
set -uo pipefail

root="${ASSAY_ROOT:-}"
number=0
failed=0

# report DESCRIPTION COMMAND…: one test, passed when the command succeeds.
report() {
    local description="$1" result=ok
    shift
    number=$((number + 1))
    if ! "$@"; then
        result='not ok'
        failed=1
    fi
    printf '%s %d - %s\n' "$result" "$number" "$description"
}

kernel() { [[ "$(sysctl -n "$1" 2> /dev/null)" == "$2" ]]; }
mode() { [[ "$(stat -c %a "$root$1" 2> /dev/null)" == "$2" ]]; }
login_default() { grep -Eq "^$1\s+$2\$" "$root/etc/login.defs"; }
only_root_is_root() { [[ "$(awk -F: '$3 == 0 {print $1}' "$root/etc/passwd")" == root ]]; }
no_empty_password() { [[ -z "$(awk -F: '$2 == "" {print $1}' "$root/etc/shadow")" ]]; }
updates_itself() { grep -Fq 'Unattended-Upgrade "1"' "$root"/etc/apt/apt.conf.d/*; }

printf '1..12\n'
report 'kernel messages are for root only' kernel kernel.dmesg_restrict 1
report 'kernel addresses are hidden' kernel kernel.kptr_restrict 2
report 'processes cannot trace strangers' kernel kernel.yama.ptrace_scope 1
report 'privileged programs leave no core' kernel fs.suid_dumpable 0
report 'redirects are not accepted' kernel net.ipv4.conf.all.accept_redirects 0
report 'source routes are not accepted' kernel net.ipv4.conf.all.accept_source_route 0
report 'SYN cookies are on' kernel net.ipv4.tcp_syncookies 1
report 'sshd_config is for root only' mode /etc/ssh/sshd_config 600
report 'new files are not for everybody' login_default UMASK 027
report 'only root has user id 0' only_root_is_root
report 'no account has an empty password' no_empty_password
report 'security updates install themselves' updates_itself
exit "$failed"
