"""What every answer has, whatever was asked."""

import logging
import re

import pytest

from shared.errors import RefusedError, SettingsError
from shared.web.answer import answer, body_text, correlation_id
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from tests.unit.web.office import Office
from tests.unit.web.samples import request


async def _fine(asked: ApiRequest, app: App) -> ApiResponse:
    return ApiResponse(status=200, body={"is": "fine"})


async def _broken(asked: ApiRequest, app: App) -> ApiResponse:
    raise KeyError("AccountKey=secret")


async def _refused(asked: ApiRequest, app: App) -> ApiResponse:
    raise RefusedError("no access to the gallery")


async def test_no_answer_is_cached_or_sniffed_and_each_has_its_correlation_id() -> None:
    response = await Office().ask(_fine, request("images"))
    assert response.headers == {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Correlation-Id": "c-1",
    }
    assert body_text(response) == '{"is": "fine"}'


async def test_an_unforeseen_error_goes_to_the_log_and_not_to_the_caller(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = await Office().ask(_broken, request("images"))
    assert (response.status, response.media_type) == (500, "application/problem+json")
    assert response.body == {
        "type": "urn:assay:problem:unexpected",
        "title": "Unexpected error",
        "status": 500,
        "detail": "Assay failed in a way it does not know; look up correlation_id in the app's "
        "log.",
        "instance": "/api/v1/images",
        "correlation_id": "c-1",
    }
    [record] = caplog.records
    assert record.getMessage() == "GET /api/v1/images -> 500 (correlation id c-1)"
    assert record.exc_info
    assert record.exc_info[0] is KeyError


async def test_a_failure_of_azure_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    response = await Office().ask(_refused, request("images"))
    assert response.status == 502
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [
        (
            logging.WARNING,
            "GET /api/v1/images -> 502 (correlation id c-1): no access to the gallery",
        )
    ]


async def test_an_app_that_is_not_set_up_says_so_and_no_more() -> None:
    def current() -> App:
        raise SettingsError(["ASSAY_GALLERY is not set."])

    response = await answer(request("health"), _fine, current)
    assert response.status == 503
    assert "ASSAY_GALLERY" not in body_text(response)


def test_a_callers_correlation_id_is_kept_when_it_is_harmless() -> None:
    assert correlation_id({"x-correlation-id": "run-4711.a_B"}) == "run-4711.a_B"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\nb", "<script>"])
def test_an_unusable_correlation_id_is_replaced(given: str) -> None:
    made = correlation_id({"x-correlation-id": given})
    assert re.fullmatch(r"[0-9a-f]{32}", made)


def test_an_answer_without_a_body_is_empty() -> None:
    assert body_text(ApiResponse(status=204)) == ""
