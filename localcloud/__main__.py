"""`python -m localcloud`: the whole of Assay on this machine, and a scenario to watch."""

import asyncio
import logging
import os
import signal
import sys

from localcloud.cli import Options, parse
from localcloud.compose import LocalCloud, local_cloud
from localcloud.errors import LocalCloudError
from localcloud.narrator import Narrator
from localcloud.scenario.expect import ScenarioError
from localcloud.scenario.play import play
from shared.errors import PermanentError

DONE, SCENARIO_BROKEN, CANNOT_START, INTERRUPTED = 0, 1, 2, 130


async def run(options: Options, narrator: Narrator) -> int:
    """Run the local cloud until the scenario ends or the user does; return the exit status."""
    stopped = _stop_asked_for()
    narrator.plain("Starting storage, a simulated Azure and the Functions host ...")
    try:
        async with local_cloud(options) as cloud:
            narrator.plain(f"simulated Azure: {cloud.arm_url}   log of the app: {options.log}")
            status = await _show(cloud, options, narrator, stopped)
            if not options.exit_after_scenario and not stopped.is_set():
                narrator.plain(f"ready: {cloud.functions_url}")
                narrator.plain("Ctrl-C stops it. What to try next: docs/local-cloud.md")
                await stopped.wait()
                status = DONE
            narrator.plain("stopping ...")
    except (LocalCloudError, PermanentError) as error:
        narrator.problem("The local cloud cannot run:", str(error))
        return CANNOT_START
    return status


async def _show(
    cloud: LocalCloud, options: Options, narrator: Narrator, stopped: asyncio.Event
) -> int:
    """Play the scenario, unless the user stops it or wants none."""
    if not options.scenario:
        return DONE
    story = asyncio.create_task(
        play(
            functions_url=cloud.functions_url,
            arm_url=cloud.arm_url,
            definitions=cloud.definitions,
            narrator=narrator,
            time_scale=options.time_scale,
        )
    )
    stop = asyncio.create_task(stopped.wait())
    await asyncio.wait({story, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not story.done():
        story.cancel()
        await asyncio.gather(story, return_exceptions=True)
        return INTERRUPTED if options.exit_after_scenario else DONE
    try:
        story.result()
    except ScenarioError as error:
        narrator.problem("The scenario broke:", str(error))
        narrator.plain(
            f"Where to look: {options.log}, and {cloud.functions_url}/api/v1/messages/parked"
        )
        return SCENARIO_BROKEN
    narrator.good("scenario", "every step of it went as expected")
    return DONE


def _stop_asked_for() -> asyncio.Event:
    """Return an event that is set by Ctrl-C and by SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def _log(options: Options) -> None:
    """Send every log record to the app's log file, started anew, and here if wanted."""
    options.log.parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [logging.FileHandler(options.log, "w", encoding="utf-8")]
    if options.verbose:
        handlers.append(logging.StreamHandler())
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=handlers,
    )
    # The SDKs write every request and its headers at INFO.
    logging.getLogger("azure").setLevel(logging.WARNING)


def main() -> int:
    """Read the options and run."""
    options = parse(sys.argv[1:], os.environ)
    _log(options)
    return asyncio.run(run(options, Narrator()))


if __name__ == "__main__":
    sys.exit(main())
