"""The Linux checks, really run: on a good guest, and on one with a fault."""

from pathlib import Path

import pytest

from shared.definitions import load_definitions
from shared.domain.image_definition import ImageDefinition
from shared.domain.verification import Outcome
from shared.factory.check_results import read_result
from shared.ports import RunCommandStatus
from tests.functional.scripts.guest import SCRIPTS, Guest

DEFINITIONS = load_definitions(SCRIPTS.parents[1])
UBUNTU, WEB = DEFINITIONS["ubuntu-22-04"], DEFINITIONS["web-ubuntu-22-04"]

KERNEL = """\
case "$2" in
    kernel.kptr_restrict) echo 2 ;;
    fs.suid_dumpable | *accept*) echo 0 ;;
    *) echo 1 ;;
esac"""
SSHD = """\
printf '%s\\n' 'permitrootlogin no' 'passwordauthentication no' 'kbdinteractiveauthentication no' \\
    'permitemptypasswords no' 'x11forwarding no' 'maxauthtries 4' 'port 22'"""
RULES = """\
echo '-w /etc/passwd -p wa -k identity'
echo '-w /etc/sudoers -p wa -k privilege'
echo '-w /etc/ssh/sshd_config -p wa -k sshd'
echo '-a always,exit -F arch=b64 -S init_module,delete_module -F key=modules'
echo '-w /etc/assay -p wa -k tattoo'"""
LISTENING = """\
echo 'udp   UNCONN 0 0    127.0.0.53%lo:53    0.0.0.0:*'
echo 'udp   UNCONN 0 0    10.0.0.4%eth0:68    0.0.0.0:*'
echo 'udp   UNCONN 0 0    [::1]:323           [::]:*'
echo 'tcp   LISTEN 0 128  0.0.0.0:22          0.0.0.0:*'
echo 'tcp   LISTEN 0 128  [::]:22             [::]:*'"""
SYSTEMCTL = """\
case "$1" in
    is-active) echo active ;;
    show) echo 41500000 ;;
esac"""


@pytest.fixture
def hardened(guest: Guest) -> Guest:
    """A guest on which every customizer ran and every command answers well."""
    guest.answer("sysctl", KERNEL)
    guest.answer("sshd", SSHD)
    guest.answer("auditctl", RULES)
    guest.answer("ss", LISTENING)
    guest.answer("systemctl", SYSTEMCTL)
    guest.answer("df", "printf 'Use%%\\n 7%%\\n'")
    for name in ("harden", "trust-root", "agents"):
        assert guest.run(Path(f"customize/{name}.sh")).code == 0
    trusted = guest.path("etc/ssl/certs/ca-certificates.crt")
    trusted.parent.mkdir(parents=True)
    root = "usr/local/share/ca-certificates/example-enterprise-root.crt"
    trusted.write_text(guest.read(root))
    return guest


def result(guest: Guest, name: str, definition: ImageDefinition = UBUNTU) -> tuple[Outcome, str]:
    """Run a script of the definition as Azure would, and read the result of its check."""
    script = Path(f"check/{name}.sh")
    check = next(c for c in definition.checks if c.script == (SCRIPTS / script).read_text())
    ran = guest.run(script)
    status = RunCommandStatus(
        finished=True, exit_code=ran.code, output=ran.output[-4096:], error=ran.error
    )
    read = read_result(check, status)
    return read.outcome, read.detail


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("sshd-settings", "it printed nothing"),
        ("hardening", "12 of 12 passed"),
        ("audit-agent", "active"),
        ("services", "5 of 5 passed"),
        ("listening-ports", "it printed nothing"),
        ("time-sync", "it printed nothing"),
        ("boot-time", "booted in 41 seconds"),
        ("disk-space", "pcent 7\nipcent 7"),
    ],
)
def test_a_good_guest_passes(hardened: Guest, name: str, detail: str) -> None:
    assert result(hardened, name) == (Outcome.PASSED, detail)


def test_the_trusted_root_verifies(hardened: Guest) -> None:
    outcome, detail = result(hardened, "root-trusted")
    assert outcome is Outcome.PASSED
    assert detail.endswith("example-enterprise-root.crt: OK")


@pytest.mark.parametrize(
    ("command", "shell", "name", "detail"),
    [
        (
            "sshd",
            SSHD.replace("passwordauthentication no", "passwordauthentication yes"),
            "sshd-settings",
            "exit code 1: sshd does not have: passwordauthentication no",
        ),
        (
            "sysctl",
            KERNEL.replace("kernel.kptr_restrict) echo 2", "kernel.kptr_restrict) echo 0"),
            "hardening",
            "1 of 12 failed: 2 - kernel addresses are hidden",
        ),
        (
            "auditctl",
            RULES.replace("key=modules", "key=other"),
            "audit-agent",
            "exit code 1: no audit rule has the key modules\nactive",
        ),
        (
            "systemctl",
            "echo inactive; exit 3",
            "audit-agent",
            "exit code 3: inactive",
        ),
        (
            "systemctl",
            """\
case "$*" in
    'is-active ssh.service') echo failed; exit 3 ;;
    is-active*) echo active ;;
    list-units*) echo 'ssh.service loaded failed failed OpenSSH' ;;
esac""",
            "services",
            "2 of 5 failed: ssh.service: is failed; no unit has failed: ssh.service",
        ),
        (
            "ss",
            LISTENING + "\necho 'tcp LISTEN 0 128 0.0.0.0:8080 0.0.0.0:*'",
            "listening-ports",
            "exit code 1: listening on tcp 0.0.0.0:8080",
        ),
        (
            "chronyc",
            'if [ "$1" = waitsync ]; then echo "506 Cannot talk to daemon" >&2; exit 1; fi',
            "time-sync",
            "exit code 1: 506 Cannot talk to daemon",
        ),
        (
            "systemctl",
            'if [ "$1" = show ]; then echo 121000000; fi',
            "boot-time",
            "exit code 1: booted in 121 seconds",
        ),
        (
            "systemctl",
            'if [ "$1" = show ]; then echo 0; fi',
            "boot-time",
            "exit code 1: systemd does not say when the boot ended (0)",
        ),
        (
            "df",
            "printf 'Use%%\\n 61%%\\n'",
            "disk-space",
            "exit code 1: pcent is 61 %, more than 60 %\npcent 61",
        ),
    ],
)
def test_a_fault_is_found_and_named(
    hardened: Guest, command: str, shell: str, name: str, detail: str
) -> None:
    hardened.answer(command, shell)
    assert result(hardened, name) == (Outcome.FAILED, detail)


def test_an_account_without_password_is_found(hardened: Guest) -> None:
    hardened.path("etc/shadow").write_text("root:*:1::::::\nuser::1::::::\n")
    assert result(hardened, "hardening") == (
        Outcome.FAILED,
        "1 of 12 failed: 11 - no account has an empty password",
    )


def test_a_root_that_is_not_trusted_is_found(hardened: Guest) -> None:
    hardened.path("etc/ssl/certs/ca-certificates.crt").write_text("")
    outcome, detail = result(hardened, "root-trusted")
    assert outcome is Outcome.FAILED
    assert detail.startswith("exit code ")


SERVED = """\
printf 'HTTP/1.1 200 OK\\r\\nServer: nginx\\r\\n\\r\\nIt works.\\n'"""
WEB_LISTENING = LISTENING + "\necho 'tcp LISTEN 0 511 0.0.0.0:80 0.0.0.0:*'"


@pytest.fixture
def web(hardened: Guest) -> Guest:
    """A hardened guest with nginx, which answers well."""
    hardened.answer("curl", SERVED)
    hardened.answer("ss", WEB_LISTENING)
    assert hardened.run(Path("customize/nginx.sh")).code == 0
    return hardened


def test_a_good_web_server_passes(web: Guest) -> None:
    assert result(web, "nginx", WEB) == (Outcome.PASSED, "3 of 3 passed")
    assert result(web, "web-ports", WEB)[0] is Outcome.PASSED


@pytest.mark.parametrize(
    ("command", "shell", "name", "detail"),
    [
        (
            "curl",
            SERVED.replace("Server: nginx", "Server: nginx/1.18.0 (Ubuntu)"),
            "nginx",
            "1 of 3 failed: 3 - it does not tell its version",
        ),
        (
            "curl",
            "echo 'curl: (7) Failed to connect to 127.0.0.1 port 80' >&2; exit 7",
            "nginx",
            "2 of 3 failed: 2 - it serves its page; 3 - it does not tell its version",
        ),
        ("systemctl", "exit 3", "nginx", "1 of 3 failed: 1 - nginx runs"),
        (
            "ss",
            WEB_LISTENING + "\necho 'tcp LISTEN 0 511 0.0.0.0:8080 0.0.0.0:*'",
            "web-ports",
            "exit code 1: listening on tcp 0.0.0.0:8080",
        ),
    ],
)
def test_a_fault_of_the_web_server_is_found_and_named(
    web: Guest, command: str, shell: str, name: str, detail: str
) -> None:
    web.answer(command, shell)
    assert result(web, name, WEB) == (Outcome.FAILED, detail)
