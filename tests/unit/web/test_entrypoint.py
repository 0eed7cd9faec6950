"""The HTTP functions: routes, access and conversion."""

import re
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from shared.entrypoints import api, fleet_api, history_api, policy_api, reports_api, sweep_api
from shared.entrypoints.http import to_http, to_request
from shared.web.exchange import ApiResponse

ROOT = Path(__file__).parents[3]


def _triggers() -> dict[str, dict[str, Any]]:
    app = func.FunctionApp()
    for part in (api, fleet_api, sweep_api, reports_api, policy_api, history_api):
        app.register_functions(part.bp)
    triggers = {str(f.get_function_name()): f.get_trigger() for f in app.get_functions()}
    return {name: t.get_dict_repr() for name, t in triggers.items() if t is not None}


ROUTES = {name: (t["methods"][0].value, t["route"]) for name, t in _triggers().items()}


def test_every_function_has_a_verb_of_its_own() -> None:
    assert ROUTES == {
        "api_publish_image": ("POST", "v1/images/{name}/publish"),
        "api_list_images": ("GET", "v1/images"),
        "api_get_image": ("GET", "v1/images/{name}"),
        "api_list_versions": ("GET", "v1/images/{name}/versions"),
        "api_get_version": ("GET", "v1/images/{name}/versions/{version}"),
        "api_list_channels": ("GET", "v1/images/{name}/channels"),
        "api_get_channel": ("GET", "v1/images/{name}/channels/{channel}"),
        "api_promote_version": ("POST", "v1/images/{name}/versions/{version}/promote"),
        "api_approve_version": ("POST", "v1/images/{name}/versions/{version}/approve"),
        "api_revoke_version": ("POST", "v1/images/{name}/versions/{version}/revoke"),
        "api_restore_version": ("POST", "v1/images/{name}/versions/{version}/restore"),
        "api_retire_version": ("POST", "v1/images/{name}/versions/{version}/retire"),
        "api_roll_back_channel": ("POST", "v1/images/{name}/channels/{channel}/rollback"),
        "api_pause_image": ("POST", "v1/images/{name}/pause"),
        "api_resume_image": ("POST", "v1/images/{name}/resume"),
        "api_list_builds": ("GET", "v1/builds"),
        "api_get_build": ("GET", "v1/builds/{id}"),
        "api_cancel_build": ("POST", "v1/builds/{id}/cancel"),
        "api_list_audit": ("GET", "v1/audit"),
        "api_get_event_schema": ("GET", "v1/schemas/events/{file}"),
        "api_list_vms": ("GET", "v1/vms"),
        "api_get_vm": ("GET", "v1/vms/{*key}"),
        "api_get_summary": ("GET", "v1/reports/summary"),
        "api_get_trend": ("GET", "v1/reports/trend"),
        "api_get_adoption": ("GET", "v1/reports/adoption"),
        "api_list_overdue": ("GET", "v1/reports/overdue"),
        "api_create_export": ("POST", "v1/exports"),
        "api_get_export": ("GET", "v1/exports/{id}"),
        "api_get_export_file": ("GET", "v1/exports/{id}/file"),
        "api_list_policy_sweeps": ("GET", "v1/policy-sweeps"),
        "api_get_vm_history": ("GET", "v1/history/vms/{*key}"),
        "api_get_vm_state": ("GET", "v1/history/states/{*key}"),
        "api_get_vm_compliance": ("GET", "v1/history/compliance/{*key}"),
        "api_get_team_history": ("GET", "v1/history/teams/{*team}"),
        "api_get_image_history": ("GET", "v1/history/images/{*image}"),
        "api_list_parked": ("GET", "v1/messages/parked"),
        "api_get_parked": ("GET", "v1/messages/parked/{id}"),
        "api_replay_parked": ("POST", "v1/messages/parked/{id}/replay"),
        "api_discard_parked": ("DELETE", "v1/messages/parked/{id}"),
        "api_get_lineage": ("GET", "v1/images/{name}/versions/{version}/lineage"),
        "api_get_software": ("GET", "v1/images/{name}/versions/{version}/software"),
        "api_get_sbom": ("GET", "v1/images/{name}/versions/{version}/sbom"),
        "api_get_provenance": ("GET", "v1/images/{name}/versions/{version}/provenance"),
        "api_get_diff": ("GET", "v1/images/{name}/diff"),
        "api_get_signing_key": ("GET", "v1/signing-key"),
        "api_prove_tattoo": ("POST", "v1/tattoos/prove"),
        "api_check_health": ("GET", "v1/health"),
        "api_list_image_users": ("GET", "v1/images/{name}/versions/{version}/users"),
        "api_list_scale_sets": ("GET", "v1/scale-sets"),
        "api_get_scale_set": ("GET", "v1/scale-sets/{*key}"),
        "api_list_sweeps": ("GET", "v1/sweeps"),
        "api_start_sweep": ("POST", "v1/sweeps"),
        "api_get_sweep": ("GET", "v1/sweeps/{id}"),
        "api_list_subscriptions": ("GET", "v1/subscriptions"),
    }


def test_all_but_health_ask_for_a_function_key() -> None:
    open_to_all = [
        n for n, t in _triggers().items() if t["authLevel"] is not func.AuthLevel.FUNCTION
    ]
    assert open_to_all == ["api_check_health"]


@pytest.mark.parametrize(("method", "route"), ROUTES.values())
def test_every_route_is_documented(method: str, route: str) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| \[`(\w+) /api/(\S+)`\]", page, re.MULTILINE))
    assert (method, route.replace("{*", "{")) in documented


def test_the_function_key_does_not_reach_the_handlers() -> None:
    asked = to_request(
        func.HttpRequest(
            method="GET",
            url="http://127.0.0.1/api/v1/vms?code=secret&team=a",
            headers={"X-Correlation-Id": "c-7", "Idempotency-Key": "k"},
            params={"code": "secret", "team": "a"},
            route_params={"key": "k"},
            body=b"{}",
        )
    )
    assert asked.query == {"team": "a"}
    assert asked.headers == {"x-correlation-id": "c-7", "idempotency-key": "k"}
    assert (asked.correlation_id, asked.path) == ("c-7", "/api/v1/vms")
    assert (asked.route, asked.body) == ({"key": "k"}, b"{}")


def test_a_problem_keeps_its_media_type_and_headers() -> None:
    http = to_http(
        ApiResponse(
            status=429,
            body={"title": "Später"},
            media_type="application/problem+json",
            headers={"Retry-After": "7"},
        )
    )
    assert (http.status_code, http.mimetype) == (429, "application/problem+json")
    assert http.get_body() == '{"title": "Später"}'.encode()
    assert dict(http.headers) == {"Retry-After": "7"}
