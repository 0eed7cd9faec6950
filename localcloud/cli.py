"""The command line of the local cloud: options, each also an environment variable."""

import argparse
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcloud.azurite import AzuritePorts
from localcloud.named_faults import FAULT_BY_NAME, NAMED_FAULTS

PREFIX = "ASSAY_LOCAL_"
HOSTS = ("auto", "local", "func")
HIGHEST_PORT = 65535
MAX_TIME_SCALE = 1000.0
DATA_DIR = Path(".localcloud")
"""Where the local cloud leaves files; relative to where it is started."""
TIME_SCALE = 120.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user asked for."""

    functions_port: int
    arm_port: int
    azurite_ports: AzuritePorts
    host: str
    """`local` is our Functions host, `func` Microsoft's; `auto` takes func where there is one."""
    time_scale: float
    """How many times faster than in Azure things happen."""
    faults: tuple[str, ...]
    scenario: bool
    exit_after_scenario: bool
    verbose: bool
    log: Path
    """File for the log of the app."""


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Read the command line, options not given coming from *environ*.

    Ends the program with status 2 and a sentence on stderr when either is wrong, and with
    status 0 after `--help`.
    """
    parser = _parser(environ)
    given = parser.parse_args(arguments)
    # argparse adds what is given to a list it takes as default, so this default is filled here.
    faults = given.fault if given.fault is not None else _faults_of(parser, environ)
    if given.exit_after_scenario and given.no_scenario:
        parser.error("--exit-after-scenario needs the scenario that --no-scenario leaves out")
    return Options(
        functions_port=given.functions_port,
        arm_port=given.arm_port,
        azurite_ports=given.azurite_ports,
        host=given.host,
        time_scale=given.time_scale,
        faults=tuple(dict.fromkeys(faults)),
        scenario=not given.no_scenario,
        exit_after_scenario=given.exit_after_scenario,
        verbose=given.verbose,
        log=given.log,
    )


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localcloud",
        description="Runs the whole of Assay on this machine: the app in a Functions host, storage "
        "in Azurite, and a simulated Azure Resource Manager with Event Grid.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = _Adder(parser, environ)
    add("--functions-port", _port, "7071", "port of the Functions host; 0 picks a free one")
    add("--arm-port", _port, "7072", "port of the simulated Azure Resource Manager")
    add("--azurite-ports", _ports, "10000,10001,10002", "ports of blobs, queues and tables")
    add(
        "--host",
        _host,
        "local",
        "Functions host: local (ours), func (Core Tools 4), or auto (func where there is one)",
    )
    add(
        "--time-scale",
        _scale,
        f"{TIME_SCALE:g}",
        "how many times faster than in Azure things happen",
    )
    add("--log", Path, str(DATA_DIR / "app.log"), "file for the log of the app, written anew")
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        metavar="NAME",
        help=f"let something go wrong, see below; may be repeated [{PREFIX}FAULTS, with commas]",
    )
    add.switch("--no-scenario", "start everything, play nothing")
    add.switch("--exit-after-scenario", "play the scenario and stop; 1 when a step failed")
    add.switch("--verbose", "show the app's log here, not only in its file")
    return parser


class _Adder:
    """Adds options whose default is an environment variable, else a fixed text."""

    def __init__(self, parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
        self._parser = parser
        self._environ = environ

    def __call__(
        self, option: str, convert: Callable[[str], object], default: str, means: str
    ) -> None:
        variable = variable_of(option)
        # A text default is converted by argparse as if it had been given, errors included.
        self._parser.add_argument(
            option,
            type=convert,
            default=self._environ.get(variable) or default,
            metavar=option.rsplit("-", maxsplit=1)[-1].upper(),
            help=f"{means} [{variable}; {default}]",
        )

    def switch(self, option: str, means: str) -> None:
        """Add an option that is on or off."""
        variable = variable_of(option)
        given = self._environ.get(variable, "").lower()
        if given not in ("", "0", "1", "false", "true"):
            self._parser.error(f"{variable} is {given!r}: it must be 1 or 0")
        self._parser.add_argument(
            option,
            action="store_true",
            default=given in ("1", "true"),
            help=f"{means} [{variable}]",
        )


def variable_of(option: str) -> str:
    """Return the environment variable that stands for *option*."""
    return PREFIX + option.lstrip("-").replace("-", "_").upper()


def _faults_of(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> list[str]:
    names = [n.strip() for n in environ.get(f"{PREFIX}FAULTS", "").split(",") if n.strip()]
    try:
        return [_fault(name) for name in names]
    except argparse.ArgumentTypeError as error:
        parser.error(f"{PREFIX}FAULTS: {error}")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to {HIGHEST_PORT}")
    return int(text)


def _ports(text: str) -> AzuritePorts:
    parts = text.split(",")
    if len(parts) != 3:  # noqa: PLR2004 - blob, queue, table
        raise argparse.ArgumentTypeError(
            f"{text!r} is not three ports with commas between: blobs, queues, tables"
        )
    blob, queue, table = (_port(part.strip()) for part in parts)
    return AzuritePorts(blob=blob, queue=queue, table=table)


def _host(text: str) -> str:
    if text not in HOSTS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(HOSTS)}")
    return text


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 1 <= scale <= MAX_TIME_SCALE:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MAX_TIME_SCALE:g}")
    return scale


def _fault(text: str) -> str:
    if text not in FAULT_BY_NAME:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(FAULT_BY_NAME)}")
    return text


def _epilog() -> str:
    rows = "\n".join(f"  {fault.name:<18} {fault.means}" for fault in NAMED_FAULTS)
    return (
        textwrap.dedent("""\
        In brackets: the environment variable that stands for an option, and the default.
        Every server listens on 127.0.0.1 only.

        faults:
        """)
        + rows
    )
