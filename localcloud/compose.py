"""Puts the parts of the local cloud together: Azurite, simulated Azure, Functions host."""

import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from localcloud.arm import ArmSimulator
from localcloud.arm.clock import Dial
from localcloud.arm.cloud import Options as SimulatorOptions
from localcloud.arm.subscriptions import Stream
from localcloud.azurite import Azurite
from localcloud.cli import Options
from localcloud.environment import (
    GALLERY,
    IDENTITY_HEADER,
    LOCATION,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    TEAMS_SUBSCRIPTION,
    Addresses,
    app_environment,
)
from localcloud.guests import passing_reports
from localcloud.host import FunctionsHost, HostOptions
from localcloud.host.genuine import Func, FuncUnusableError, GenuineHost, find_func
from localcloud.named_faults import FAULT_BY_NAME
from localcloud.ports import ensure_free
from localcloud.scenario.clients import GALLERY_API, Azure, Http
from localcloud.signing_key import signing_key
from shared import runtime
from shared.definitions import load_definitions
from shared.domain.image_definition import ImageDefinition

APP_DIR = Path(__file__).resolve().parent.parent
EVENT_FUNCTIONS: dict[Stream, str] = {
    "resources": "receive_resource_event",
    "policy": "receive_policy_event",
    "topic": "receive_assay_event",
}
"""Which function takes which stream of events, as infra/ subscribes them in Azure."""

POLLING_SECONDS = 0.5
"""Longest pause between two looks at a queue: the 2 s of host.json would be minutes here."""

SHUFFLE_SEED = 1
"""Of the fault `shuffle-messages`: the same disorder at every start."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LocalCloud:
    """The running parts."""

    functions_url: str
    arm_url: str
    definitions: Mapping[str, ImageDefinition]


@asynccontextmanager
async def local_cloud(options: Options) -> AsyncIterator[LocalCloud]:
    """Start every part in the order they need each other, and stop them in reverse.

    Raises LocalCloudError, DefinitionError or SettingsError with a sentence for the user.
    """
    ensure_free(options.functions_port, "--functions-port or ASSAY_LOCAL_FUNCTIONS_PORT")
    ensure_free(options.arm_port, "--arm-port or ASSAY_LOCAL_ARM_PORT")
    definitions = load_definitions(APP_DIR / os.environ.get("ASSAY_IMAGES_DIR", "images"))
    async with AsyncExitStack() as stack:
        azurite = await stack.enter_async_context(
            Azurite(
                options.azurite_ports,
                port_setting="the {service} port of --azurite-ports or ASSAY_LOCAL_AZURITE_PORTS",
            )
        )
        simulator = await stack.enter_async_context(_simulator(options))
        os.environ.update(
            app_environment(
                Addresses(
                    storage=azurite.connection_string,
                    arm=simulator.base_url,
                    functions=_functions_url(options.functions_port),
                ),
                time_scale=options.time_scale,
                signing_key=stack.enter_context(signing_key()),
            )
        )
        functions_url = await stack.enter_async_context(_running_host(options))
        for source, function in EVENT_FUNCTIONS.items():
            webhook = f"{functions_url}/runtime/webhooks/eventgrid?functionName={function}"
            await simulator.subscribe(source=source, endpoint_url=webhook)
        await _arrange(simulator.base_url, options, definitions)
        await _deploy_gallery(simulator.base_url)
        yield LocalCloud(
            functions_url=functions_url, arm_url=simulator.base_url, definitions=definitions
        )


def _functions_url(port: int) -> str:
    """Return where the host will be; empty when the operating system is to choose the port."""
    return f"http://127.0.0.1:{port}" if port else ""


def _simulator(options: Options) -> ArmSimulator:
    return ArmSimulator(
        options.arm_port,
        SimulatorOptions(
            subscriptions=(SUBSCRIPTION, TEAMS_SUBSCRIPTION),
            dial=Dial.SCALED,
            factor=options.time_scale,
            identity_header=IDENTITY_HEADER,
        ),
    )


@asynccontextmanager
async def _running_host(options: Options) -> AsyncIterator[str]:
    """Run the app in the host asked for and yield its address; `auto` takes func where it can."""
    func = await _genuine_func(options.host)
    if func is not None:
        async with GenuineHost(APP_DIR, options.functions_port, func=func) as genuine:
            yield genuine.base_url
        return
    faults = [FAULT_BY_NAME[name] for name in options.faults]
    dials = HostOptions(
        deliver_twice=any(fault.deliver_twice for fault in faults),
        shuffle=SHUFFLE_SEED if any(fault.shuffle for fault in faults) else None,
        # A demo looks at the Marketplace when its story says so, not when the clock does.
        run_timers=not options.exit_after_scenario,
        before_stop=runtime.close,
        max_polling_interval=POLLING_SECONDS,
    )
    async with FunctionsHost(APP_DIR, options.functions_port, options=dials) as host:
        yield host.base_url


async def _genuine_func(wish: str) -> Func | None:
    if wish == "local":
        return None
    try:
        return await find_func()
    except FuncUnusableError as error:
        if wish == "func":
            raise
        _log.info("the local Functions host runs the app: %s", error)
        return None


async def _deploy_gallery(arm_url: str) -> None:
    """Deploy what a deployment of Assay brings along: the gallery."""
    gallery = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}"
        f"/providers/Microsoft.Compute/galleries/{GALLERY}"
    )
    body = {"location": LOCATION, "properties": {"description": "Golden images"}}
    async with aiohttp.ClientSession() as session:
        azure = Azure(Http(session, arm_url))
        await azure.sign_in()
        await azure.deploy(gallery, body, api=GALLERY_API)


async def _arrange(
    arm_url: str, options: Options, definitions: Mapping[str, ImageDefinition]
) -> None:
    """Tell the simulation what its guests print and what goes wrong in it."""
    async with aiohttp.ClientSession() as session:
        control = Http(session, arm_url)
        for rule in passing_reports(definitions.values()):
            await control.call("POST", "/_sim/guest-rules", dict(rule))
        for name in options.faults:
            fault: Mapping[str, Any] | None = FAULT_BY_NAME[name].simulator
            if fault is not None:
                await control.call("POST", "/_sim/faults", dict(fault))
