"""What is inside a simulated VM: the files and registry values its image's customizers wrote.

Nothing is ever executed. Only plainly literal commands are understood: quoted here-documents
into `cat >` or `tee`, `install SRC DST`, `apt-get install`, `bash FILE` of a file so written, and
`Set-ItemProperty`/`New-ItemProperty` on HKLM.
"""

import re
import shlex
from dataclasses import dataclass, field, replace
from typing import Any

_HEREDOC = re.compile(
    r"""^\s*(?:sudo\s+)?(?:cat\s*>\s*(?P<cat>\S+)|tee\s+(?P<tee>[^\s<>]+)(?:\s*>\s*/dev/null)?)
        \s*<<-?\s*(?P<q>['"])(?P<word>\w+)(?P=q)\s*$""",
    re.VERBOSE,
)
_REGISTRY = re.compile(r"^\s*(?:Set|New)-ItemProperty\b(?P<rest>.*)$", re.IGNORECASE)
_PARAMETER = re.compile(r"-(?P<name>\w+)\s+'(?P<value>(?:[^']|'')*)'")
_UNSET = re.compile(r"\$\{\w+:-\}")  # nothing, where a variable is not set: and none is here
_INSTALL_WITH_VALUE = {"-m", "-o", "-g", "--mode", "--owner", "--group"}


@dataclass
class Guest:
    """Files by path, registry values by lower-cased key, packages, and the customizers that ran."""

    os: str = "Linux"
    image: str = ""
    source: str = ""
    """Publisher, offer and SKU it was made from, in lower case, between colons."""
    source_version: str = ""
    installed: list[str] = field(default_factory=list)
    """Names of the packages that customizers installed."""
    updated: bool = False
    customizers: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    registry: dict[str, dict[str, str]] = field(default_factory=dict)

    def copy(self) -> "Guest":
        """An independent copy: a VM's disk is not its image's."""
        return replace(
            self,
            customizers=list(self.customizers),
            installed=list(self.installed),
            files=dict(self.files),
            registry={key: dict(values) for key, values in self.registry.items()},
        )

    def customize(self, customizer: dict[str, Any]) -> None:
        """Apply one Image Builder customizer, as far as it is understood."""
        self.customizers.append(str(customizer.get("name") or ""))
        script = "\n".join(customizer.get("inline") or [])
        if customizer["type"] == "Shell":
            self._shell(script.splitlines())
        elif customizer["type"] == "PowerShell":
            self._powershell(script.splitlines())

    def _shell(self, lines: list[str]) -> None:
        rest = iter(lines)
        for line in rest:
            found = _HEREDOC.match(line)
            if found is None:
                self._command(_words(line))
                continue
            text = []
            for each in rest:
                if each == found["word"]:
                    break
                text.append(each + "\n")
            self.files[_unquoted(found["cat"] or found["tee"])] = "".join(text)

    def _command(self, words: list[str]) -> None:
        match words:
            case ["sudo", *rest]:
                self._command(rest)
            case ["bash" | "sh", script] if script in self.files:
                self._shell(self.files[script].splitlines())
            case ["apt-get", *arguments] if "install" in arguments:
                names = arguments[arguments.index("install") + 1 :]
                self.installed += [name for name in names if not name.startswith("-")]
            case ["apt-get", *arguments] if "dist-upgrade" in arguments:
                self.updated = True
            case ["install", *arguments]:
                self._install(arguments)

    def _install(self, arguments: list[str]) -> None:
        names, skip = [], False
        for word in arguments:
            if skip or word.startswith("-"):
                skip = word in _INSTALL_WITH_VALUE and not skip
                continue
            names.append(word)
        match names:
            case [source, target] if source in self.files:
                self.files[target] = self.files[source]

    def _powershell(self, lines: list[str]) -> None:
        for line in lines:
            found = _REGISTRY.match(line)
            if found is None:
                continue
            given = {
                name.lower(): value.replace("''", "'")
                for name, value in _PARAMETER.findall(found["rest"])
            }
            path = given.get("path") or given.get("literalpath")
            if path and path.upper().startswith("HKLM:") and {"name", "value"} <= given.keys():
                key = path.rstrip("\\").lower()
                self.registry.setdefault(key, {})[given["name"]] = given["value"]


def _unquoted(word: str) -> str:
    return "".join(_words(word))


def _words(line: str) -> list[str]:
    try:
        return [_UNSET.sub("", word) for word in shlex.split(line, comments=True)]
    except ValueError:  # an unbalanced quote: not a plain command
        return []
