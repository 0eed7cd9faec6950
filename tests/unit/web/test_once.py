"""The same request under the same key is done once, and answered the same."""

from dataclasses import replace
from datetime import timedelta

from shared.errors import UnavailableError
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.problems import conflict
from tests.unit.web.office import Office
from tests.unit.web.samples import NOON, request

PRINCIPAL = "7b1f4b0e-8c4d-4a55-9f0e-3d0f1f0a7c11"


class Counter:
    """A handler that counts how often it is asked, and may refuse or fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.refuses = False
        self.fails = False

    async def __call__(self, asked: ApiRequest, app: App) -> ApiResponse:
        self.asked += 1
        if self.fails:
            raise UnavailableError("storage does not answer")
        if self.refuses:
            raise conflict("taken", "Taken", f"number {self.asked}")
        return ApiResponse(
            status=202, body={"number": self.asked}, headers={"Location": "https://assay.example/1"}
        )


class LateOffice(Office):
    """An office whose clock can be moved."""

    later = timedelta()

    def now(self):  # type: ignore[no-untyped-def]
        return NOON + self.later


def _post(key: str = "k-1", body: bytes = b"", path: str = "images/x/publish") -> ApiRequest:
    return request(path, method="POST", body=body, headers={"idempotency-key": key})


async def test_a_repeat_gets_the_first_answer_and_nothing_is_done_again() -> None:
    office, handler = Office(), Counter()
    first = await office.ask(handler, _post())
    again = await office.ask(handler, _post())
    assert handler.asked == 1
    assert (again.status, again.body) == (first.status, first.body) == (202, {"number": 1})
    assert again.headers["Location"] == "https://assay.example/1"
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


async def test_the_same_key_with_another_body_is_refused() -> None:
    office, handler = Office(), Counter()
    await office.ask(handler, _post(body=b'{"force": true}'))
    body = await office.body(handler, _post(body=b"{}"), status=422)
    assert body["type"] == "urn:assay:problem:key-reused"
    assert handler.asked == 1


async def test_another_path_or_key_or_no_key_is_another_request() -> None:
    office, handler = Office(), Counter()
    await office.ask(handler, _post())
    await office.ask(handler, _post(path="images/y/publish"))
    await office.ask(handler, _post(key="k-2"))
    await office.ask(handler, request("images/x/publish", method="POST"))
    await office.ask(handler, request("images/x/publish", method="POST"))
    assert handler.asked == 5


async def test_another_caller_is_another_request() -> None:
    office, handler = Office(), Counter()
    office.settings.signs_in = True
    asked = _post()
    for who in (PRINCIPAL, "8c2f4b0e-8c4d-4a55-9f0e-3d0f1f0a7c11"):
        headers = {**asked.headers, "x-ms-client-principal-id": who}
        await office.ask(handler, replace(asked, headers=headers))
    assert handler.asked == 2


async def test_a_refusal_for_the_state_of_things_is_the_answer_of_its_repeats() -> None:
    office, handler = Office(), Counter()
    handler.refuses = True
    first = await office.body(handler, _post(), status=409)
    handler.refuses = False
    again = await office.body(handler, _post(), status=409)
    assert first["detail"] == again["detail"] == "number 1"


async def test_a_failure_that_passes_is_not_kept() -> None:
    office, handler = Office(), Counter()
    handler.fails = True
    assert (await office.ask(handler, _post())).status == 503
    handler.fails = False
    assert (await office.ask(handler, _post())).status == 202
    assert handler.asked == 2


async def test_a_key_is_forgotten_after_a_day() -> None:
    office, handler = LateOffice(), Counter()
    await office.ask(handler, _post())
    office.later = timedelta(hours=23, minutes=59)
    await office.ask(handler, _post())
    assert handler.asked == 1
    office.later = timedelta(hours=24)
    await office.ask(handler, _post())
    assert handler.asked == 2


async def test_a_get_has_no_use_for_a_key() -> None:
    office, handler = Office(), Counter()
    asked = request("images", headers={"idempotency-key": "k"})
    await office.ask(handler, asked)
    await office.ask(handler, asked)
    assert handler.asked == 2
