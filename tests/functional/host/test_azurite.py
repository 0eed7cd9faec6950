"""Azurite is started, found and stopped for real."""

import asyncio
import socket
from pathlib import Path

import pytest
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueClient

from localcloud import nodejs
from localcloud.azurite import Azurite, AzuritePorts, connection_string
from localcloud.errors import AzuriteError, PortTakenError
from localcloud.nodejs import Node, ensure_installed, installed_version, locked_version

pytestmark = pytest.mark.azurite


async def test_queues_and_tables_answer(azurite: Azurite) -> None:
    async with QueueClient.from_connection_string(azurite.connection_string, "greetings") as queue:
        await queue.create_queue()
        await queue.send_message("hello")
        message = await queue.receive_message()
        assert message is not None
        assert message.content == "hello"
    async with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
        table = await tables.create_table("Greetings")
        await table.upsert_entity({"PartitionKey": "p", "RowKey": "r", "Text": "hello"})
        assert (await table.get_entity("p", "r"))["Text"] == "hello"
        await table.close()


async def test_a_stopped_azurite_frees_its_port_and_forgets_its_address() -> None:
    emulator = Azurite()
    async with emulator:
        port = emulator.ports.queue
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with pytest.raises(AzuriteError, match="not running"):
        _ = emulator.connection_string


async def test_a_data_folder_keeps_messages_over_a_restart(tmp_path: Path) -> None:
    async with (
        Azurite(data_dir=tmp_path) as first,
        QueueClient.from_connection_string(first.connection_string, "kept") as queue,
    ):
        await queue.create_queue()
        await queue.send_message("still here")
    async with (
        Azurite(data_dir=tmp_path) as second,
        QueueClient.from_connection_string(second.connection_string, "kept") as queue,
    ):
        message = await queue.receive_message()
        assert message is not None
        assert message.content == "still here"


async def test_a_taken_port_is_named_together_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        emulator = Azurite(AzuritePorts(queue=taken), port_setting="--{service}-port")
        with pytest.raises(PortTakenError) as caught:
            await emulator.__aenter__()
    assert str(caught.value) == (
        f"Port {taken} (--queue-port) is in use by another program: stop that program "
        "or give --queue-port another port (0 picks a free one)."
    )


def test_the_connection_string_names_one_endpoint_per_service() -> None:
    text = connection_string(AzuritePorts(1, 2, 3))
    assert text.startswith("DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=")
    assert "BlobEndpoint=http://127.0.0.1:1/devstoreaccount1;" in text
    assert "QueueEndpoint=http://127.0.0.1:2/devstoreaccount1;" in text
    assert "TableEndpoint=http://127.0.0.1:3/devstoreaccount1;" in text


async def test_a_folder_given_by_setting_must_hold_azurite(tmp_path: Path) -> None:
    node = Node(Path("node"), ("npm",))
    with pytest.raises(AzuriteError, match="holds no azurite package"):
        await ensure_installed(node, environ={"AZURITE_NODE_MODULES": str(tmp_path)})


def _home_with_locks(tmp_path: Path) -> Path:
    for name in nodejs.LOCK_FILES:
        (tmp_path / name).write_bytes((nodejs.HERE / name).read_bytes())
    return tmp_path


def _fake_npm(tmp_path: Path, body: str) -> Node:
    script = tmp_path / "npm"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return Node(Path("node"), (str(script),))


FAKE_INSTALL = """
mkdir -p node_modules/azurite/dist/src && touch node_modules/azurite/dist/src/azurite.js
echo '{"version": "3.35.0"}' > node_modules/azurite/package.json
echo "$@" > node_modules/asked"""


async def test_a_missing_azurite_is_installed_from_the_lock(tmp_path: Path) -> None:
    home = _home_with_locks(tmp_path)
    modules = await ensure_installed(_fake_npm(tmp_path, FAKE_INSTALL), environ={}, home=home)
    assert modules == home / "node_modules"
    assert (modules / "asked").read_text() == "ci --no-audit --no-fund\n"
    assert installed_version(modules) == locked_version() == "3.35.0"
    assert list(home.glob("node_modules.new.*")) == []


async def test_another_version_than_the_lock_asks_for_is_replaced(tmp_path: Path) -> None:
    home = _home_with_locks(tmp_path)
    old = home / "node_modules" / "azurite"
    (old / "dist" / "src").mkdir(parents=True)
    (old / "dist" / "src" / "azurite.js").touch()
    (old / "package.json").write_text('{"version": "3.0.0"}')
    await ensure_installed(_fake_npm(tmp_path, FAKE_INSTALL), environ={}, home=home)
    assert installed_version(home / "node_modules") == "3.35.0"


async def test_two_installations_at_once_both_succeed(tmp_path: Path) -> None:
    home = _home_with_locks(tmp_path)
    node = _fake_npm(tmp_path, FAKE_INSTALL + "\nsleep 0.2")
    both = await asyncio.gather(*(ensure_installed(node, environ={}, home=home) for _ in "12"))
    assert both == [home / "node_modules"] * 2


async def test_a_failing_npm_is_quoted(tmp_path: Path) -> None:
    node = _fake_npm(tmp_path, "echo registry unreachable; exit 7")
    with pytest.raises(AzuriteError, match="registry unreachable"):
        await ensure_installed(node, environ={}, home=_home_with_locks(tmp_path))
