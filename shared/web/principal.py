"""Who calls: the object id of a signed-in caller, or the function key; never a name."""

import re

from shared.web.app import App
from shared.web.exchange import ApiRequest

FUNCTION_KEY = "function-key"
"""Who calls where nobody signs in: whoever has the key."""

_HEADER = "x-ms-client-principal-id"
"""App Service authentication sets it, and takes it away from what comes from outside
(https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities)."""
_OBJECT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def caller(request: ApiRequest, app: App) -> str:
    """Return the object id of who calls; `function-key` where nobody signs in.

    Without App Service authentication anybody could send the header, so it is not believed.
    """
    given = request.headers.get(_HEADER, "").strip() if app.settings.signs_in else ""
    return given if _OBJECT_ID.fullmatch(given) else FUNCTION_KEY
