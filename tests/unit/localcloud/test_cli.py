"""The options of the local cloud."""

from pathlib import Path

import pytest

from localcloud.azurite import AzuritePorts
from localcloud.cli import parse, variable_of
from localcloud.named_faults import NAMED_FAULTS

ROOT = Path(__file__).resolve().parents[3]
OPTIONS = (
    "--functions-port",
    "--arm-port",
    "--azurite-ports",
    "--host",
    "--time-scale",
    "--no-scenario",
    "--exit-after-scenario",
    "--log",
    "--verbose",
)


def test_without_options_everything_is_on_its_usual_port() -> None:
    options = parse([], {})

    assert (options.functions_port, options.arm_port) == (7071, 7072)
    assert options.azurite_ports == AzuritePorts(blob=10000, queue=10001, table=10002)
    assert (options.host, options.time_scale, options.faults) == ("local", 120.0, ())
    assert (options.scenario, options.exit_after_scenario, options.verbose) == (True, False, False)


def test_an_environment_variable_stands_for_an_option() -> None:
    options = parse(
        [],
        {
            "ASSAY_LOCAL_FUNCTIONS_PORT": "8071",
            "ASSAY_LOCAL_AZURITE_PORTS": "1,2,3",
            "ASSAY_LOCAL_NO_SCENARIO": "1",
            "ASSAY_LOCAL_FAULTS": "throttle, duplicate-events",
        },
    )

    assert options.functions_port == 8071
    assert options.azurite_ports == AzuritePorts(blob=1, queue=2, table=3)
    assert options.scenario is False
    assert options.faults == ("throttle", "duplicate-events")


def test_the_command_line_wins_over_the_environment() -> None:
    options = parse(
        ["--arm-port", "0", "--fault", "blind"],
        {"ASSAY_LOCAL_ARM_PORT": "9", "ASSAY_LOCAL_FAULTS": "throttle"},
    )

    assert (options.arm_port, options.faults) == (0, ("blind",))


@pytest.mark.parametrize(
    ("arguments", "environ", "sentence"),
    [
        (["--arm-port", "70720"], {}, "--arm-port: '70720' is not a port: 0 to 65535"),
        ([], {"ASSAY_LOCAL_ARM_PORT": "x"}, "--arm-port: 'x' is not a port: 0 to 65535"),
        (["--azurite-ports", "1,2"], {}, "'1,2' is not three ports with commas between"),
        (["--time-scale", "0"], {}, "'0' is not a number from 1 to 1000"),
        (["--host", "docker"], {}, "'docker' is none of auto, local, func"),
        (["--fault", "rain"], {}, "'rain' is none of duplicate-events, "),
        ([], {"ASSAY_LOCAL_FAULTS": "rain"}, "ASSAY_LOCAL_FAULTS: 'rain' is none of "),
        ([], {"ASSAY_LOCAL_VERBOSE": "yes"}, "ASSAY_LOCAL_VERBOSE is 'yes': it must be 1 or 0"),
        (
            ["--no-scenario", "--exit-after-scenario"],
            {},
            "--exit-after-scenario needs the scenario",
        ),
    ],
)
def test_a_wrong_option_ends_with_status_2_and_a_sentence(
    arguments: list[str],
    environ: dict[str, str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments, environ)

    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_help_names_every_option_its_variable_and_every_fault(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--help"], {})

    assert ended.value.code == 0
    text = capsys.readouterr().out
    wanted = [*OPTIONS, *(variable_of(o) for o in OPTIONS), *(f.name for f in NAMED_FAULTS)]
    assert [word for word in wanted if word not in text] == []


def test_the_documentation_names_every_option_variable_and_fault() -> None:
    text = (ROOT / "docs" / "local-cloud.md").read_text(encoding="utf-8")
    wanted = [
        *(f"`{option}`" for option in OPTIONS),
        *(f"`{variable_of(option)}`" for option in OPTIONS),
        *(f"| `{fault.name}` | {fault.means} |" for fault in NAMED_FAULTS),
    ]

    assert [phrase for phrase in wanted if phrase not in text] == []
