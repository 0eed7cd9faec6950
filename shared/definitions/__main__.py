"""Checks image definitions and the fleet policy, and prints their JSON Schemas."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.definitions.fleet_file import load_fleet_policy
from shared.definitions.loader import load_definitions
from shared.definitions.schema import fleet_schema_text, schema_text
from shared.errors import DefinitionError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of *arguments*; return 0, or 1 when a definition is wrong."""
    options = _parser().parse_args(arguments)
    if options.command == "schema":
        sys.stdout.write(schema_text())
        return 0
    if options.command == "fleet-schema":
        sys.stdout.write(fleet_schema_text())
        return 0
    return _check_fleet(options.file) if options.command == "fleet" else _check(options.folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shared.definitions", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="name everything that is wrong with the definitions")
    check.add_argument("folder", nargs="?", type=Path, default=Path("images"))
    commands.add_parser("schema", help="print the JSON Schema of an image definition")
    fleet = commands.add_parser("fleet", help="name everything that is wrong with the fleet policy")
    fleet.add_argument("file", nargs="?", type=Path, default=Path("fleet.yaml"))
    commands.add_parser("fleet-schema", help="print the JSON Schema of the fleet policy")
    return parser


def _check(folder: Path) -> int:
    try:
        definitions = load_definitions(folder)
    except DefinitionError as error:
        sys.stdout.write("".join(f"{problem}\n" for problem in error.problems))
        return 1
    for name, definition in definitions.items():
        regions = ", ".join(region.name for region in definition.regions)
        sys.stdout.write(
            f"{name}: {len(definition.customizers)} customizers, {len(definition.checks)} checks, "
            f"{len(definition.repairs)} repairs, to {regions}\n"
        )
    return 0


def _check_fleet(file: Path) -> int:
    if not file.exists():
        sys.stdout.write(f"{file}: there is no such file; everything is as by default\n")
        return 0
    try:
        policy = load_fleet_policy(file)
    except DefinitionError as error:
        sys.stdout.write("".join(f"{problem}\n" for problem in error.problems))
        return 1
    named = ", ".join(sorted(policy.teams)) or "none"
    sys.stdout.write(
        f"{file}: {len(policy.rules.owners)} ways to find a team; teams with rules of their own: "
        f"{named}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
