"""What the host does and refuses when it starts, and what it leaves behind."""

import json
import socket
import sys
import textwrap
import threading
from pathlib import Path

import aiohttp
import pytest
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from localcloud.azurite import Azurite
from localcloud.errors import FunctionsHostError, PortTakenError
from localcloud.host import FunctionsHost, HostOptions
from tests.functional.host.conftest import StartSample

HEAD = """
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""
ONE_ROUTE = """
@app.route(route="word")
async def word(req: func.HttpRequest) -> str:
    return "{word}"
"""


def write_app(folder: Path, code: str, host_json: object = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "function_app.py").write_text(HEAD + textwrap.dedent(code))
    (folder / "host.json").write_text(json.dumps(host_json or {"version": "2.0"}))
    return folder


async def refusal(app_dir: Path) -> str:
    with pytest.raises(FunctionsHostError) as caught:
        await FunctionsHost(app_dir, storage="UseDevelopmentStorage=true").__aenter__()
    return str(caught.value)


async def get(host: FunctionsHost, path: str) -> str:
    async with aiohttp.ClientSession(host.base_url) as http, http.get(path) as response:
        return await response.text()


async def test_unknown_bindings_and_missing_settings_are_all_named(tmp_path: Path) -> None:
    code = """
    @app.blob_trigger(arg_name="blob", path="a/b", connection="AzureWebJobsStorage")
    async def on_blob(blob: func.InputStream) -> None: ...

    @app.route()
    @app.table_output(arg_name="row", table_name="t", connection="AzureWebJobsStorage")
    async def save(req: func.HttpRequest, row: func.Out[str]) -> str: ...

    @app.queue_trigger(arg_name="msg", queue_name="%NO_SUCH%", connection="AzureWebJobsStorage")
    async def named(msg: func.QueueMessage) -> None: ...

    @app.queue_trigger(arg_name="msg", queue_name="q", connection="NoSuchStorage")
    async def connected(msg: func.QueueMessage) -> None: ...

    @app.queue_trigger(arg_name="msg", queue_name="q", connection="AzureWebJobsStorage")
    @app.queue_output(arg_name="$return", queue_name="x{id}", connection="AzureWebJobsStorage")
    async def expressed(msg: func.QueueMessage) -> str: ...

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 * * *")
    @app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")
    async def retried(timer: func.TimerRequest) -> None: ...
    """
    assert await refusal(write_app(tmp_path / "app", code)) == (
        "The host cannot run this app:\n"
        "- on_blob: binding type blobTrigger (in, parameter blob) is unknown\n"
        "- save: binding type table (out, parameter row) is unknown\n"
        "- named: queueName of binding msg needs the app setting NO_SUCH\n"
        "- connected: binding msg needs the app setting NoSuchStorage\n"
        "- expressed: queue name x{id} is a binding expression, which is not supported\n"
        "- retried: retry policies are not supported"
    )


async def test_an_app_that_does_not_import_says_why(tmp_path: Path) -> None:
    told = await refusal(write_app(tmp_path / "app", "raise ZeroDivisionError('in the app')"))
    assert "does not load: ZeroDivisionError: in the app\n" in told


async def test_a_parameter_without_binding_is_refused_by_the_worker_itself(tmp_path: Path) -> None:
    code = """
    @app.route()
    async def odd(request: func.HttpRequest) -> str: ...
    """
    assert "FunctionLoadError" in await refusal(write_app(tmp_path / "app", code))


async def test_a_folder_without_app_or_settings_is_refused(tmp_path: Path) -> None:
    assert "host.json cannot be read" in await refusal(tmp_path)
    (tmp_path / "host.json").write_text("{}")
    assert await refusal(tmp_path) == f"There is no function_app.py in {tmp_path}."


@pytest.mark.parametrize(
    ("queues", "told"),
    [
        ({"batchSize": 33}, "host.json: queues.batchSize is 33, not 1 to 32."),
        (
            {"messageEncoding": "hex"},
            "host.json: queues.messageEncoding is 'hex', not base64 or none.",
        ),
        ({"visibilityTimeout": "soon"}, "host.json: 'soon' is not a time span like 00:00:30."),
    ],
)
async def test_wrong_queue_settings_are_refused(
    tmp_path: Path, queues: dict[str, object], told: str
) -> None:
    host_json = {"extensions": {"queues": queues}}
    assert await refusal(write_app(tmp_path / "app", ONE_ROUTE, host_json)) == told


async def test_a_bad_schedule_or_route_names_its_function(tmp_path: Path) -> None:
    code = """
    @app.timer_trigger(arg_name="timer", schedule="daily")
    async def late(timer: func.TimerRequest) -> None: ...
    """
    told = await refusal(write_app(tmp_path / "timer", code))
    assert told == "late: 'daily' is not an NCRONTAB schedule of six fields."
    told = await refusal(write_app(tmp_path / "route", ONE_ROUTE.replace("word", "{x:even}", 1)))
    assert told == "word: route segment {x:even} is not supported."


async def test_a_taken_port_is_refused_and_leaves_no_worker_behind(tmp_path: Path) -> None:
    app_dir = write_app(tmp_path / "app", ONE_ROUTE.format(word="free"))
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortTakenError):
        await FunctionsHost(app_dir, other.getsockname()[1]).__aenter__()
    async with FunctionsHost(app_dir) as host:
        assert await get(host, "/api/word") == "free"
    assert [thread.name for thread in threading.enumerate() if "functions" in thread.name] == []
    assert str(app_dir) not in sys.path


async def test_another_app_and_its_modules_replace_the_first_in_the_same_process(
    tmp_path: Path,
) -> None:
    for word in ("first", "second"):
        code = ONE_ROUTE.format(word="{words.WORD}").replace('return "', 'return f"')
        app_dir = write_app(tmp_path / word, "import words.spoken as words\n" + code)
        (app_dir / "words").mkdir()
        (app_dir / "words" / "__init__.py").touch()
        (app_dir / "words" / "spoken.py").write_text(f"WORD = '{word}'\n")
        options = HostOptions(packages=("function_app", "words"))
        async with FunctionsHost(app_dir, options=options) as host:
            assert await get(host, "/api/word") == word


async def test_only_one_host_runs_in_a_process(tmp_path: Path) -> None:
    app_dir = write_app(tmp_path / "app", ONE_ROUTE.format(word="one"))
    async with FunctionsHost(app_dir) as host:
        assert await refusal(app_dir) == (
            "Another Functions host is running in this process already."
        )
        assert await get(host, "/api/word") == "one"


async def test_the_app_can_close_what_it_opened_on_its_own_loop(tmp_path: Path) -> None:
    closed_on: list[str] = []

    async def close() -> None:
        closed_on.append(threading.current_thread().name)

    app_dir = write_app(tmp_path / "app", ONE_ROUTE.format(word="x"))
    async with FunctionsHost(app_dir, options=HostOptions(before_stop=close)):
        assert closed_on == []
    assert closed_on == ["functions-worker"]


@pytest.mark.azurite
async def test_the_queues_listened_to_are_created(
    azurite: Azurite, start_sample: StartSample
) -> None:
    async with start_sample() as sample:
        service = QueueServiceClient.from_connection_string(azurite.connection_string)
        async with service:
            names = [queue.name async for queue in service.list_queues(sample.prefix)]
    assert sorted(names) == [f"{sample.prefix}-{name}" for name in ("in", "in-poison", "sink")]


@pytest.mark.azurite
async def test_storage_given_to_the_host_is_the_default_connection(
    azurite: Azurite, tmp_path: Path
) -> None:
    code = """
    @app.queue_trigger(arg_name="msg", queue_name="given-storage", connection="")
    async def on_message(msg: func.QueueMessage) -> None: ...
    """
    app_dir = write_app(tmp_path / "app", code)
    async with FunctionsHost(app_dir, storage=azurite.connection_string) as host:
        async with QueueClient.from_connection_string(
            azurite.connection_string, "given-storage"
        ) as queue:
            await queue.send_message("aGVsbG8=")
        await host.wait_idle(10)
        assert host.invocations == {"on_message": 1}


@pytest.mark.azurite
async def test_a_queue_name_storage_refuses_is_named(azurite: Azurite, tmp_path: Path) -> None:
    code = """
    @app.queue_trigger(arg_name="msg", queue_name="No_Queue", connection="")
    async def on_message(msg: func.QueueMessage) -> None: ...
    """
    app_dir = write_app(tmp_path / "app", code)
    with pytest.raises(FunctionsHostError, match="on_message: queue No_Queue cannot be created"):
        await FunctionsHost(app_dir, storage=azurite.connection_string).__aenter__()
