"""A folder that stands for a guest: scripts run in it for real, but for the commands that would
change this machine, which only write down what they were asked.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parents[3] / "images" / "scripts" / "linux"

STUBBED = (
    "apt-get",
    "auditctl",
    "chronyc",
    "curl",
    "df",
    "ss",
    "sshd",
    "sysctl",
    "systemctl",
    "update-ca-certificates",
)
"""Commands that read or change the machine itself; every other one works on files."""

_STUB = """\
#!/bin/sh
printf '%s\\n' "$(basename "$0") $*" >> "$ASSAY_ROOT/calls"
answer="$ASSAY_ROOT/answers/$(basename "$0")"
if [ -f "$answer" ]; then . "$answer"; fi
"""

_FILES = {
    "etc/os-release": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nID=ubuntu\n',
    "etc/login.defs": "# Login defaults\nUMASK\t\t022\nPASS_MAX_DAYS\t99999\n"
    "ENCRYPT_METHOD SHA512\n",
    "etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
    "etc/ssh/sshd_config.d/50-cloud-init.conf": "PasswordAuthentication yes\n",
    "etc/cron.d/e2scrub": "# nothing\n",
    "etc/passwd": "root:x:0:0::/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/bash\n",
    "etc/shadow": "root:*:1::::::\nuser:!:1::::::\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "var/lib/dbus/machine-id": "0123456789abcdef0123456789abcdef\n",
    "var/lib/apt/lists/archive_InRelease": "list\n",
    "var/log/syslog": "line\n",
    "var/log/syslog.1.gz": "packed\n",
    "root/.bash_history": "ls\n",
    "tmp/keep": "",
}


@dataclass(frozen=True)
class Ran:
    """How a script ended."""

    code: int
    output: str
    error: str


class Guest:
    """A guest's files under *root*, and stand-ins for the commands of STUBBED."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._stubs = root / "stubs"
        self._stubs.mkdir()
        (root / "answers").mkdir()
        for name in STUBBED:
            self._stubs.joinpath(name).write_text(_STUB)
            self._stubs.joinpath(name).chmod(0o755)
        for name, text in _FILES.items():
            self.path(name).parent.mkdir(parents=True, exist_ok=True)
            self.path(name).write_text(text)

    def path(self, name: str) -> Path:
        """Return the place of a file of the guest, `etc/passwd` for example."""
        return self.root / name

    def read(self, name: str) -> str:
        """Return the text of a file of the guest."""
        return self.path(name).read_text()

    def mode(self, name: str) -> str:
        """Return the permissions of a file of the guest, `600` for example."""
        return f"{self.path(name).stat().st_mode & 0o777:o}"

    def answer(self, command: str, shell: str) -> None:
        """Let the stand-in for *command* run the lines *shell*."""
        (self.root / "answers" / command).write_text(f"{shell}\n")

    def run(self, script: Path | str) -> Ran:
        """Run a script of `images/scripts/linux` by its path, or the text of one."""
        file = self.root / "script.sh"
        file.write_text(script if isinstance(script, str) else (SCRIPTS / script).read_text())
        done = subprocess.run(
            ["bash", str(file)],
            env={"PATH": f"{self._stubs}:{os.environ['PATH']}", "ASSAY_ROOT": str(self.root)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def calls(self) -> list[str]:
        """Return what the stand-ins were asked so far, and forget it."""
        file = self.root / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line.replace(str(self.root), "") for line in lines]

    def files(self) -> dict[str, tuple[str, str]]:
        """Return mode and text of every file of the guest."""
        own = ("stubs", "answers", "calls", "script.sh")
        return {
            str(path.relative_to(self.root)): (self.mode(str(path)), path.read_text())
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and path.relative_to(self.root).parts[0] not in own
        }
