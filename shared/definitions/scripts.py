"""The scripts a definition names: where they may be and what they must look like."""

from pathlib import Path

from shared.domain.image_definition import OperatingSystem

MAX_BYTES = 256 * 1024
"""Scripts travel inside the Image Builder template, and a request to Azure Resource Manager holds
at most 4 MB (Azure docs: Azure subscription and service limits)."""

BYTE_ORDER_MARK = "\ufeff"


class ScriptError(Exception):
    """A script cannot be used; the text says why and reads after the field's name."""


def read_script(folder: Path, name: str, os: OperatingSystem) -> str:
    """Return the text of the script *name*, a path relative to *folder*, its last line ended.

    Raises ScriptError when it is outside of *folder* (through `..`, an absolute path or a
    symbolic link), missing, too large, or not a text the guest could run.
    """
    raw = _read(folder, name)
    if len(raw) > MAX_BYTES:
        raise ScriptError(f"{name} is {len(raw)} bytes long, at most {MAX_BYTES} may be")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ScriptError(f"{name} is not UTF-8 (byte {error.start})") from error
    problem = _fault(text, os)
    if problem:
        raise ScriptError(f"{name} {problem}")
    return text if text.endswith("\n") else text + "\n"


def _read(folder: Path, name: str) -> bytes:
    root = folder.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise ScriptError(f"{name} is outside of the folder of the definitions")
    if not path.is_file():
        raise ScriptError(f"there is no file {name} in the folder of the definitions")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ScriptError(f"{name} cannot be read: {error.strerror}") from error


def _fault(text: str, os: OperatingSystem) -> str:
    """Return what is wrong with *text*; empty when nothing is."""
    if not text.strip():
        return "is empty"
    if "\0" in text:
        return "holds a NUL character, so it is no text"
    if text.startswith(BYTE_ORDER_MARK):
        return "starts with a byte order mark: save it as UTF-8 without one"
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        return f"has a Windows line end on line {line}: save it with LF line ends"
    if os is OperatingSystem.LINUX and not text.startswith("#!"):
        return "does not start with #!, so the guest would choose the shell: write #!/bin/bash"
    return ""
