"""A genuine `func` is told from its namesakes, and run; here with small programs in its place."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from azure.storage.queue.aio import QueueClient

from localcloud.azurite import Azurite
from localcloud.errors import FunctionsHostError
from localcloud.host.genuine import Func, FuncUnusableError, GenuineHost, find_func
from localcloud.host.idle import NotIdleError

# Stands for `func start --port N`: answers the status request, after a while as Running.
FAKE_HOST = """
import http.server, json, os, pathlib, sys
asked = []
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        state = "Running" if len(asked) > 2 else "Initialized"
        body = json.dumps({"state": state}).encode()
        if self.path == "/admin/functions":
            body = pathlib.Path("functions.json").read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
pathlib.Path("started").write_text(json.dumps([
    os.getpid(), os.getcwd(), os.environ["AzureWebJobsStorage"], os.environ["EXTRA"]]))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[3])), Handler).serve_forever()
"""


def program(folder: Path, body: str, name: str = "func") -> Path:
    path = folder / name
    path.write_text(body)
    path.chmod(0o755)
    return path


async def gone(pid: int) -> None:
    """Return once a process has ended and init has taken note of it."""
    async with asyncio.timeout(10):
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            await asyncio.sleep(0.05)


async def refusal(folder: Path) -> str:
    with pytest.raises(FuncUnusableError) as caught:
        await find_func(str(folder))
    return str(caught.value)


async def test_core_tools_four_is_found(tmp_path: Path) -> None:
    path = program(tmp_path, "#!/bin/sh\n[ $1 = --version ] && echo 4.0.7317\n")
    assert await find_func(str(tmp_path)) == Func(path, "4.0.7317")


async def test_no_func_is_said_plainly(tmp_path: Path) -> None:
    told = await refusal(tmp_path)
    assert told == "There is no func on PATH (Azure Functions Core Tools 4)."


@pytest.mark.parametrize("says", ["v1.15.0", "3.0.2003", "Usage: func [command]", "40.1.1"])
async def test_knative_and_other_versions_are_refused(tmp_path: Path, says: str) -> None:
    path = program(tmp_path, f"#!/bin/sh\necho '{says}'\n")
    assert await refusal(tmp_path) == (
        f"{path} is not Azure Functions Core Tools 4: it says its version is {says!r}."
    )


async def test_the_npm_script_without_its_program_is_refused_unrun(tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "azure-functions-core-tools"
    (package / "lib").mkdir(parents=True)
    script = program(package / "lib", f"#!/bin/sh\ntouch {tmp_path}/was-run\n", "main.js")
    (tmp_path / "func").symlink_to(script)
    assert "is the script of the npm package" in await refusal(tmp_path)
    assert not (tmp_path / "was-run").exists()
    (package / "bin").mkdir()
    program(package / "bin", "", "func")
    script.write_text("#!/bin/sh\necho 4.0.1\n")
    assert (await find_func(str(tmp_path))).version == "4.0.1"


async def test_a_func_that_hangs_is_refused_and_ended(tmp_path: Path) -> None:
    program(tmp_path, f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    with pytest.raises(FuncUnusableError, match=r"gave no answer within 0\.3 s"):
        await find_func(str(tmp_path), patience=0.3)
    await gone(int((tmp_path / "pid").read_text()))


def host_program(tmp_path: Path) -> Func:
    (tmp_path / "fake.py").write_text(FAKE_HOST)
    body = f'#!/bin/sh\n"{sys.executable}" "{tmp_path}/fake.py" "$@" &\nwait\n'
    return Func(program(tmp_path, body), "4.0.0")


async def test_the_app_runs_in_its_folder_until_the_host_is_left(tmp_path: Path) -> None:
    app_dir = tmp_path / "app"
    app_dir.mkdir()
    async with GenuineHost(
        app_dir, storage="storage", environ={"EXTRA": "more"}, func=host_program(tmp_path)
    ) as host:
        assert host.base_url.startswith("http://127.0.0.1:")
        pid, folder, storage, extra = json.loads((app_dir / "started").read_text())
        assert (folder, storage, extra) == (str(app_dir), "storage", "more")
        os.kill(pid, 0)
    await gone(pid)


async def test_a_func_that_ends_early_is_quoted(tmp_path: Path) -> None:
    path = program(tmp_path, "#!/bin/sh\necho extension bundle not found; exit 4\n")
    with pytest.raises(FunctionsHostError) as caught:
        await GenuineHost(tmp_path, func=Func(path, "4.0.0")).__aenter__()
    assert str(caught.value) == (
        "func ended with code 4 before the app ran: extension bundle not found"
    )


async def test_a_func_that_never_runs_the_app_is_ended(tmp_path: Path) -> None:
    path = program(tmp_path, "#!/bin/sh\necho still loading\nexec sleep 60\n")
    with pytest.raises(FunctionsHostError) as caught:
        await GenuineHost(tmp_path, func=Func(path, "4.0.0"), ready_timeout=0.5).__aenter__()
    assert str(caught.value) == "func did not run the app within 0.5 s: still loading"


@pytest.mark.azurite
async def test_idleness_is_read_from_the_queues_func_listens_to(
    tmp_path: Path, azurite: Azurite
) -> None:
    binding = {"type": "queueTrigger", "queueName": "%SOME_QUEUE%", "connection": "GivenStorage"}
    listed = [{"name": "f", "config": {"bindings": [binding, {"type": "http"}]}}]
    (tmp_path / "functions.json").write_text(json.dumps(listed))
    environ = {
        "EXTRA": "",
        "SOME_QUEUE": "genuine-queue",
        "GivenStorage": azurite.connection_string,
    }
    async with (
        QueueClient.from_connection_string(azurite.connection_string, "genuine-queue") as queue,
        GenuineHost(
            tmp_path, storage="unused", environ=environ, func=host_program(tmp_path)
        ) as host,
    ):
        await queue.create_queue()
        await host.wait_idle(5)
        await queue.send_message("waiting")
        with pytest.raises(NotIdleError, match="genuine-queue holds 1"):
            await host.wait_idle(0.3)
