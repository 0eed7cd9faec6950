"""The Azure Functions app: registers the blueprints, nothing else."""

import azure.functions as func

from shared import runtime
from shared.entrypoints import (
    api,
    events,
    fleet_api,
    fleet_queues,
    history_api,
    poison,
    policy_api,
    queues,
    reports_api,
    sweep_api,
    timers,
)

runtime.start()

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for part in (
    events, queues, fleet_queues, poison, timers, api, fleet_api, sweep_api, reports_api,
    policy_api, history_api,
):  # fmt: skip
    app.register_functions(part.bp)
