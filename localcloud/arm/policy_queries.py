"""Microsoft.PolicyInsights: queries of policy states, and evaluation scans."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import bad_request
from localcloud.arm.odata import ordered, parse_filter
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.requests import next_link, whole_number
from localcloud.arm.routing import GROUP, SUBSCRIPTION, Call, Reply, Route
from localcloud.arm.store import Json

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2019-10-01", "2024-10-01"})
_STATES = "/providers/Microsoft.PolicyInsights/policyStates/latest"
_DEFAULT_PAGE = 1000


def _query(cloud: "Cloud", call: Call) -> Reply:
    _refuse_options(call)
    scope = call.path[: call.path.lower().index(_STATES.lower())]
    rows = cloud.policy_states.under(scope)
    passes = parse_filter(call.query.get("$filter", ""))
    rows = ordered([row for row in rows if passes(row)], call.query.get("$orderby", ""))
    start = whole_number(call, "$skiptoken") or 0
    size = min(_DEFAULT_PAGE, cloud.options.page_size)
    top = whole_number(call, "$top")
    end = start + size if top is None else min(start + size, top)
    context = f"https://management.azure.com{scope}{_STATES[: -len('/latest')]}/$metadata#latest"
    following = None
    if end < len(rows) and (top is None or end < top):
        following = next_link(call, end)
    shown = [_shown(row, context) for row in rows[start:end]]
    return Reply(
        body={
            "@odata.nextLink": following,
            "@odata.context": context,
            "@odata.count": len(shown),
            "value": shown,
        }
    )


def _refuse_options(call: Call) -> None:
    for name in ("$apply", "$expand", "$select"):
        if name in call.query:
            raise bad_request("InvalidQueryOption", f"The option '{name}' is not simulated.")


def _shown(row: Json, context: str) -> Json:
    body = {key: value for key, value in row.items() if key != "stateId"}
    return {"@odata.id": None, "@odata.context": f"{context}/$entity", **body}


def _scan(cloud: "Cloud", call: Call) -> Reply:
    def done(failure: OperationError | None) -> OperationError | None:
        return failure

    target = call.path[: call.path.lower().index("/providers/microsoft.policyinsights")]
    operation = cloud.operations.run(
        call, Family.POLICY, "", target, duration="policy_scan", done=done
    )
    return Reply(HTTPStatus.ACCEPTED, headers=cloud.operations.policy_location(call, operation))


_QUERY, _TRIGGER = _STATES + "/queryResults", _STATES + "/triggerEvaluation"
_ACTION = "Microsoft.PolicyInsights/policyStates/triggerEvaluation/action"
ROUTES = [
    Route(
        "PolicyStates_ListQueryResultsForSubscription",
        "POST",
        SUBSCRIPTION + _QUERY,
        _query,
        VERSIONS,
    ),
    Route(
        "PolicyStates_ListQueryResultsForResourceGroup", "POST", GROUP + _QUERY, _query, VERSIONS
    ),
    Route(
        "PolicyStates_ListQueryResultsForResource",
        "POST",
        "/?/subscriptions/{sub}/{resource+}" + _QUERY,
        _query,
        VERSIONS,
    ),
    Route(
        "PolicyStates_TriggerSubscriptionEvaluation",
        "POST",
        SUBSCRIPTION + _TRIGGER,
        _scan,
        VERSIONS,
        _ACTION,
    ),
    Route(
        "PolicyStates_TriggerResourceGroupEvaluation",
        "POST",
        GROUP + _TRIGGER,
        _scan,
        VERSIONS,
        _ACTION,
    ),
]
