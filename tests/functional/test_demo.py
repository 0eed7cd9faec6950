"""`python -m localcloud` as a newcomer meets it: the whole story, a taken port, Ctrl-C."""

import asyncio
import signal
import socket
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FREE_PORTS = ("--functions-port", "0", "--arm-port", "0", "--azurite-ports", "0,0,0")


async def start(log: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "localcloud", "--log", str(log / "app.log"), *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def finish(process: asyncio.subprocess.Process, *, within: float) -> str:
    """Return all it still prints until it has ended; it is killed when that takes too long."""
    try:
        async with asyncio.timeout(within):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output.decode()


@pytest.mark.timeout(300)
async def test_the_scenario_goes_as_expected_from_the_first_act_to_the_table(
    tmp_path: Path,
) -> None:
    process = await start(tmp_path, "--exit-after-scenario", "--time-scale", "600", *FREE_PORTS)

    output = await finish(process, within=240)

    assert process.returncode == 0, output
    assert "every step of it went as expected" in output
    assert "built and released web-ubuntu-22-04 1." in output
    assert "data-workers_3 is found by the sweep of 2 subscriptions" in output
    assert "7 VMs: 2 aged, 4 current, 1 unapproved" in output
    table = output[output.index("Who runs what") :]
    verdicts = {
        name: next(line for line in table.splitlines() if name in line)
        for name in ("pay-api-01", "pay-db-01", "shop-web-01", "data-workers_0")
    }
    assert "aged" in verdicts["pay-api-01"]
    assert "noncompliant" in verdicts["pay-api-01"]
    assert "unapproved" in verdicts["pay-db-01"]
    assert "(deleted)" in verdicts["shop-web-01"]
    assert "current" in verdicts["data-workers_0"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_says_when_it_is_ready_and_a_signal_stops_it(
    number: signal.Signals, tmp_path: Path
) -> None:
    process = await start(tmp_path, "--no-scenario", *FREE_PORTS)
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while not (line := await process.stdout.readline()).startswith(b"ready: "):
            assert line, "it ended before it was ready"
    process.send_signal(number)

    output = await finish(process, within=30)

    assert process.returncode == 0, output
    assert line.startswith(b"ready: http://127.0.0.1:")


async def test_a_taken_port_is_named_with_the_options_that_set_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        process = await start(tmp_path, "--functions-port", str(port))
        output = await finish(process, within=30)

    assert process.returncode == 2
    assert (
        f"Port {port} (--functions-port or ASSAY_LOCAL_FUNCTIONS_PORT) is in use by another "
        "program" in output
    )
