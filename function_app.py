"""The Azure Functions app: registers the blueprints, nothing else."""

import azure.functions as func

from shared import runtime
from shared.entrypoints import api, events, poison, queues, timers

runtime.start()

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (events.bp, queues.bp, poison.bp, timers.bp, api.bp):
    app.register_functions(blueprint)
