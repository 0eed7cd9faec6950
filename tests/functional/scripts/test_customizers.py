"""The Linux customizers and repairs, really run in a folder that stands for the guest.

PowerShell scripts are not run: there is no PowerShell and no Windows here.
"""

from pathlib import Path

import pytest

from tests.functional.scripts.guest import SCRIPTS, Guest, Ran

OK = Ran(0, "", "")
CHANGING = sorted(
    p.relative_to(SCRIPTS) for kind in ("customize", "repair") for p in (SCRIPTS / kind).glob("*")
)


@pytest.mark.parametrize("script", CHANGING, ids=str)
def test_a_second_run_changes_nothing(guest: Guest, script: Path) -> None:
    assert guest.run(script).code == 0
    once = guest.files()
    assert guest.run(script).code == 0
    assert guest.files() == once


@pytest.mark.parametrize("script", CHANGING, ids=str)
def test_a_command_that_fails_fails_the_script(guest: Guest, script: Path) -> None:
    for command in ("apt-get", "sshd", "update-ca-certificates"):
        guest.answer(command, "exit 9")
    assert guest.run(script).code == 9


def test_hardening_puts_its_own_files_beside_those_of_the_distribution(guest: Guest) -> None:
    before = guest.files()
    assert guest.run(Path("customize/harden.sh")) == OK
    after = guest.files()
    assert sorted(after.keys() - before.keys()) == [
        "etc/apt/apt.conf.d/60assay-unattended-upgrades",
        "etc/modprobe.d/60-assay.conf",
        "etc/profile.d/60-assay-umask.sh",
        "etc/security/limits.d/60-assay.conf",
        "etc/ssh/sshd_config.d/00-assay.conf",
        "etc/sysctl.d/60-assay.conf",
        "etc/systemd/resolved.conf.d/60-assay.conf",
    ]
    changed = [name for name in before if after[name] != before[name]]
    assert changed == ["etc/login.defs", "etc/ssh/sshd_config"]
    assert guest.calls() == ["sshd -t -f /etc/ssh/sshd_config"]


def test_hardening_closes_ssh(guest: Guest) -> None:
    guest.run(Path("customize/harden.sh"))
    lines = guest.read("etc/ssh/sshd_config.d/00-assay.conf").splitlines()
    assert lines[:4] == [
        "PermitRootLogin no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitEmptyPasswords no",
    ]
    assert guest.mode("etc/ssh/sshd_config") == "600"
    assert guest.mode("etc/cron.d") == "700"


def test_hardening_changes_login_defaults_where_they_are(guest: Guest) -> None:
    guest.run(Path("customize/harden.sh"))
    assert guest.read("etc/login.defs") == (
        "# Login defaults\nUMASK 027\nPASS_MAX_DAYS 365\nENCRYPT_METHOD SHA512\n"
        "PASS_MIN_DAYS 1\nPASS_WARN_AGE 14\n"
    )


def test_updates_ask_nobody(guest: Guest) -> None:
    options = (
        "-y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "
        "-o DPkg::Lock::Timeout=300"
    )
    assert guest.run(Path("customize/update.sh")) == OK
    assert guest.calls() == [
        "apt-get update",
        f"apt-get {options} dist-upgrade",
        f"apt-get {options} autoremove --purge",
    ]


def test_agents_are_installed_with_rules_and_clock(guest: Guest) -> None:
    assert guest.run(Path("customize/agents.sh")) == OK
    assert guest.calls() == [
        "apt-get -y -o DPkg::Lock::Timeout=300 install auditd chrony unattended-upgrades",
        "systemctl enable auditd.service chrony.service unattended-upgrades.service",
    ]
    rules = guest.read("etc/audit/rules.d/60-assay.rules").splitlines()
    assert rules[-1] == "-w /etc/assay -p wa -k tattoo"
    assert guest.mode("etc/audit/rules.d/60-assay.rules") == "640"
    assert guest.read("etc/chrony/conf.d/60-azure.conf") == (
        "refclock PHC /dev/ptp_hyperv poll 3 dpoll -2 offset 0 stratum 2\nmakestep 1.0 -1\n"
    )


def test_cleaning_up_leaves_nothing_of_the_build_vm(guest: Guest) -> None:
    assert guest.run(Path("customize/clean-up.sh")) == OK
    assert guest.calls() == ["apt-get clean"]
    assert guest.read("etc/machine-id") == ""
    assert guest.read("var/log/syslog") == ""
    for gone in ("var/lib/dbus/machine-id", "var/lib/apt/lists/archive_InRelease",
                 "var/log/syslog.1.gz", "root/.bash_history"):  # fmt: skip
        assert not guest.path(gone).exists()


def test_resetting_sshd_lets_the_hardened_settings_win(guest: Guest) -> None:
    guest.run(Path("customize/harden.sh"))
    guest.path("etc/ssh/sshd_config").write_text("PermitRootLogin yes\n")
    assert guest.run(Path("repair/reset-sshd.sh")) == OK
    assert guest.read("etc/ssh/sshd_config") == (
        "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\n"
    )
    names = sorted(p.name for p in guest.path("etc/ssh/sshd_config.d").iterdir())
    assert names == ["00-assay.conf", "50-cloud-init.conf.set-aside"]


def test_agents_are_reinstalled_with_fresh_configuration(guest: Guest) -> None:
    assert guest.run(Path("repair/reinstall-agents.sh")) == OK
    assert guest.calls() == [
        "apt-get update",
        "apt-get -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confnew "
        "-o Dpkg::Options::=--force-confmiss install --reinstall auditd chrony "
        "unattended-upgrades",
        "systemctl enable auditd.service chrony.service unattended-upgrades.service",
    ]


def test_nginx_is_installed_and_told_to_keep_its_version(guest: Guest) -> None:
    assert guest.run(Path("customize/nginx.sh")) == OK
    assert guest.calls() == [
        "apt-get -y -o DPkg::Lock::Timeout=300 install nginx",
        "systemctl enable nginx.service",
    ]
    assert guest.read("etc/nginx/conf.d/60-assay.conf").splitlines()[0] == "server_tokens off;"
    assert guest.read("etc/nginx/sites-enabled/default") == guest.read(
        "etc/nginx/sites-available/default"
    )
    assert guest.read("var/www/html/index.html") == "It works.\n"
