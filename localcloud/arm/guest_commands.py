"""What a run command prints: read from the simulated guest, or told by a guest rule."""

import re
import shlex
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from localcloud.arm.guest_software import print_software
from localcloud.arm.guests import Guest

_KEY = re.compile(r"""['"](?P<key>HKLM:\\[^'"]+)['"]""", re.IGNORECASE)
_READS_KEY = re.compile(r"\bGet-ItemProperty\b", re.IGNORECASE)
_PRINTS_PAIRS = re.compile(r"=\$|\$\([^)]*\)=|\{0\}=\{1\}")
_IDLE = re.compile(r"^\s*(#.*|set\s+[-+].*)?$")


class GuestRule(BaseModel):
    """How run commands of a name end, on VMs of an image, unless a customizer was run."""

    model_config = ConfigDict(extra="forbid")

    command: str = ".*"
    image: str = ".*"
    unless_customizer: str | None = None
    exit_code: int = 1
    stdout: str = ""
    stderr: str = ""
    times: int | None = Field(default=None, ge=0)


@dataclass(frozen=True)
class Outcome:
    """What a command leaves behind."""

    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""


class GuestRules:
    """The rules in force; the first that matches is taken."""

    def __init__(self) -> None:
        self._rules: list[GuestRule] = []

    def add(self, rule: GuestRule) -> None:
        """Put a rule in force, after those that are there."""
        self._rules.append(rule.model_copy())

    def clear(self) -> None:
        """Take all rules out of force."""
        self._rules.clear()

    def listing(self) -> list[dict[str, object]]:
        """The rules in force, as JSON."""
        return [rule.model_dump() for rule in self._rules]

    def run(self, guest: Guest, name: str, script: str) -> Outcome:
        """Answer one run command."""
        read = _read_file(guest, script) or _read_key(guest, script)
        if read is not None:
            return read
        for rule in self._rules:
            if rule.times != 0 and _applies(rule, guest, name):
                if rule.times is not None:
                    rule.times -= 1
                return Outcome(rule.exit_code, rule.stdout, rule.stderr)
        return Outcome(stdout=print_software(guest, script) or "")


def _applies(rule: GuestRule, guest: Guest, name: str) -> bool:
    def found(pattern: str, text: str) -> bool:
        return re.search(pattern, text, re.IGNORECASE) is not None

    if not found(rule.command, name) or not found(rule.image, guest.image):
        return False
    cure = rule.unless_customizer
    return cure is None or not any(found(cure, each) for each in guest.customizers)


def _read_file(guest: Guest, script: str) -> Outcome | None:
    lines = [line for line in script.splitlines() if not _IDLE.match(line)]
    if len(lines) != 1:
        return None
    try:
        words = [word for word in shlex.split(lines[0]) if word not in {"sudo", "--"}]
    except ValueError:  # an unbalanced quote: not a plain `cat`
        return None
    match words:
        case ["cat", path] if path in guest.files:
            return Outcome(stdout=guest.files[path])
        case ["cat", path] if path.startswith("/"):
            return Outcome(1, stderr=f"cat: {path}: No such file or directory\n")
    return None


def _read_key(guest: Guest, script: str) -> Outcome | None:
    found = _KEY.search(script)
    if found is None or not _READS_KEY.search(script) or not _PRINTS_PAIRS.search(script):
        return None
    key = found["key"].rstrip("\\")
    values = guest.registry.get(key.lower())
    if values is None:
        return Outcome(
            1, stderr=f"Get-ItemProperty : Cannot find path '{key}' because it does not exist.\n"
        )
    return Outcome(stdout="".join(f"{name}={value}\n" for name, value in values.items()))
