"""A small app that uses every binding the host knows, and remembers what it was given."""

import asyncio
import json
import time
import typing

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

# What each function was called with, in order; read by the tests of the same process.
SEEN: list[tuple[str, typing.Any]] = []


@app.route(route="shelf/{number:int}/{title?}", methods=["GET", "POST"])
async def shelf(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "params": dict(req.route_params),
        "query": dict(req.params),
        "probe": req.headers.get("x-probe"),
        "header_names": sorted(req.headers),
        "body": req.get_body().decode("latin-1"),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@app.route(route="shelf/list", methods=["GET"])
def shelf_list(req: func.HttpRequest) -> str:
    return "all"


@app.route()
async def plain(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    answer = func.HttpResponse("made", status_code=201, headers={"Location": "/there"})
    answer.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly; SameSite=Lax")
    answer.headers.add("Set-Cookie", "b=2; Max-Age=60; Secure")
    return answer


@app.route(route="files/{*path}")
async def files(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params.get("path", "(none)"))


@app.route(route="fails")
async def fails(req: func.HttpRequest) -> func.HttpResponse:
    raise LookupError("no such thing")


@app.route(route="ends")
async def ends(req: func.HttpRequest) -> func.HttpResponse:
    raise SystemExit(3)


@app.route(route="blocks")
async def blocks(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(1)  # noqa: ASYNC251 - blocking its loop is what this function is for
    return func.HttpResponse("done")


@app.route(route="surrogate")
async def surrogate(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("x", headers={"x-bad": "\ud800"})


@app.timer_trigger(arg_name="timer", schedule="%SAMPLE_SCHEDULE%", run_on_startup=True)
@app.queue_output(arg_name="out", queue_name="%SAMPLE_PREFIX%-sink", connection="SampleStorage")
def tick(timer: func.TimerRequest, out: func.Out[typing.List[str]]) -> None:  # noqa: UP006
    status = timer.schedule_status  # type: ignore[attr-defined]
    SEEN.append(("tick", {"past_due": timer.past_due, **status}))
    out.set(["first", '{"second": [1, true]}'])


@app.event_grid_trigger(arg_name="event")
async def on_event(event: func.EventGridEvent) -> None:
    await asyncio.sleep(0)
    if event.get_json().get("fail"):
        raise ValueError(f"refused {event.id}")
    SEEN.append(("on_event", (event.id, event.event_type, event.subject, event.get_json())))


@app.event_grid_trigger(arg_name="event")
async def on_cloud_event(event: func.CloudEvent) -> None:
    SEEN.append(("on_cloud_event", (event.id, event.type, event.source, event.get_json())))


@app.queue_trigger(arg_name="msg", queue_name="%SAMPLE_PREFIX%-in", connection="SampleStorage")
@app.queue_output(arg_name="$return", queue_name="%SAMPLE_PREFIX%-sink", connection="SampleStorage")
async def relay(msg: func.QueueMessage) -> str:
    body = msg.get_body().decode()
    SEEN.append(("relay", (msg.id, msg.dequeue_count, body)))
    command = json.loads(body) if body.startswith("{") else {}
    if command.get("sleep"):
        await asyncio.sleep(command["sleep"])
    if command.get("fail_until", 0) >= (msg.dequeue_count or 1):
        raise RuntimeError(f"attempt {msg.dequeue_count} fails")
    return str(command.get("answer", body))


@app.queue_trigger(arg_name="msg", queue_name="%SAMPLE_PREFIX%-sink", connection="SampleStorage")
async def sink(msg: func.QueueMessage) -> None:
    SEEN.append(("sink", msg.get_body().decode()))


@app.queue_trigger(
    arg_name="msg", queue_name="%SAMPLE_PREFIX%-in-poison", connection="SampleStorage"
)
async def bury(msg: func.QueueMessage) -> None:
    body = msg.get_body().decode()
    SEEN.append(("bury", body))
    if "unburiable" in body:
        raise RuntimeError("cannot be buried")
