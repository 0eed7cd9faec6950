"""How values change on their way through the host: messages, metadata, routes, encodings."""

import re
from typing import Any

import pytest

from localcloud.errors import FunctionsHostError
from localcloud.host import protos
from localcloud.host.bindings import Binding, Function
from localcloud.host.invoker import message_bodies
from localcloud.host.metadata import overwrite_from_payload
from localcloud.host.protos import TypedData
from localcloud.host.routes import build_routes
from localcloud.host.settings import resolve
from localcloud.host.storage import decode, encode


@pytest.mark.parametrize(
    ("data", "bodies"),
    [
        (TypedData(string="plain"), ["plain"]),
        (TypedData(string=""), [""]),
        (TypedData(string=' {"b":{"c":1.0}} '), ['{\n  "b": {\n    "c": 1.0\n  }\n}']),
        (TypedData(string='["a", "b"]'), ["a", "b"]),
        (TypedData(string="[]"), []),
        (TypedData(string="12"), ["12"]),
        (TypedData(json='["a", {"id": "1"}]'), ["a", '{\n  "id": "1"\n}']),
        (TypedData(json='[[1, 2], "x"]'), ["[\n  1,\n  2\n]", "x"]),
        (TypedData(bytes=b'["kept"]'), [b'["kept"]']),
        (TypedData(int=3), ["3"]),
    ],
)
def test_an_output_value_becomes_these_messages(data: TypedData, bodies: list[str | bytes]) -> None:
    assert message_bodies(data) == bodies


def test_only_scalars_and_objects_of_a_payload_become_metadata() -> None:
    known: dict[str, Any] = {"Id": "m1", "DequeueCount": 1}
    text = '{"iD": "p", "dequeueCount": 9, "ok": true, "list": [1], "none": null, "o": {"a": 1}}'
    overwrite_from_payload(known, text)
    assert known == {"Id": "p", "DequeueCount": "9", "ok": "True", "o": {"a": 1}}


@pytest.mark.parametrize("text", ["{broken}", "[1]", "text", ""])
def test_other_payloads_leave_the_metadata_alone(text: str) -> None:
    known: dict[str, Any] = {"Id": "m1"}
    overwrite_from_payload(known, text)
    assert known == {"Id": "m1"}


@pytest.mark.parametrize(
    ("content", "as_base64", "body"),
    [
        ("aGk=", True, "hi"),
        ("aG\nk=", True, "hi"),
        ("hi!", True, None),
        ("/w==", True, "\ufffd"),
        ("aGk=", False, "aGk="),
    ],
)
def test_a_stored_text_decodes_to(content: str, as_base64: bool, body: str | None) -> None:
    assert decode(content, as_base64=as_base64) == body


def test_bodies_are_stored_as_text_or_base64() -> None:
    assert encode("ü", as_base64=True) == "w7w="
    assert encode(b"\xff", as_base64=True) == "/w=="
    assert encode(b"ab", as_base64=False) == "ab"


def test_settings_replace_their_names_in_percent_signs() -> None:
    assert resolve("%A%-x-%B%", {"A": "1", "B": "2"}) == "1-x-2"
    with pytest.raises(KeyError, match="C"):
        resolve("%C%", {})


def http_function(route: str, methods: list[str] | None = None) -> Function:
    fields = {"route": route, "methods": methods}
    return Function(route, route, Binding("httpTrigger", "req", fields), (), ())


@pytest.mark.parametrize(
    ("path", "route", "values"),
    [
        ("/api/vms", "vms", {}),
        ("/api/vms/7", "vms/{id:int}", {"id": "7"}),
        ("/api/vms/mine", "vms/mine", {}),
        ("/api/vms/other", "vms/{name}", {"name": "other"}),
        ("/api/vms/other/disks", "vms/{name}/disks/{lun:int?}", {"name": "other"}),
        (
            "/api/vms/other/disks/1",
            "vms/{name}/disks/{lun:int?}",
            {"name": "other", "lun": "1"},
        ),
        ("/api/x/y/z", "{*rest}", {"rest": "x/y/z"}),
    ],
)
def test_the_most_exact_route_wins(path: str, route: str, values: dict[str, str]) -> None:
    templates = ["{*rest}", "vms/{name}", "vms/{name}/disks/{lun:int?}", "vms/{id:int}"]
    routes = build_routes([http_function(t) for t in [*templates, "vms/mine", "vms"]], "api")
    found = next((r.function.name, m) for r in routes if (m := r.match("GET", path)) is not None)
    assert found == (route, values)


@pytest.mark.parametrize("template", ["a-{b}", "{b=1}", "{b:regex(x)}", "{b"])
def test_templates_the_host_does_not_know_are_refused(template: str) -> None:
    with pytest.raises(FunctionsHostError, match=re.escape(template)):
        build_routes([http_function(template)], "api")


def test_host_messages_carry_only_what_protobuf_would() -> None:
    with pytest.raises(UnicodeEncodeError):
        TypedData(string="\udc00")
    with pytest.raises(TypeError):
        TypedData(string=b"bytes")
    with pytest.raises(TypeError):
        TypedData(string="a", json="{}")
    with pytest.raises(TypeError):
        protos.RpcHttp(headers={"n": 5})  # type: ignore[dict-item]
    assert TypedData(json="{}").WhichOneof("data") == "json"
    assert protos.ParameterBinding("x").WhichOneof("rpc_data") is None
