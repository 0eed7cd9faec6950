"""A folder of definitions for tests, and the smallest definition there is."""

from pathlib import Path

MINIMAL = """\
name: tiny
description: The smallest image.
os: linux
major: 1
source:
  publisher: Canonical
  offer: 0001-com-ubuntu-server-jammy
  sku: 22_04-lts-gen2
gallery_image:
  publisher: platform
  offer: linux
  sku: tiny
regions:
  - name: West Europe
"""
"""14 lines; tests append more from line 15 on."""

SCRIPT = "#!/bin/bash\ntrue\n"


def definition(folder: Path, text: str = MINIMAL, name: str = "tiny.yaml") -> Path:
    """Write a definition into *folder* and return its path."""
    path = folder / name
    path.write_text(text)
    return path


def script(folder: Path, name: str, content: str | bytes = SCRIPT) -> None:
    """Write a script into *folder*."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
