"""What Resource Graph limits: how often somebody may ask, and how long a skip token is good."""

import base64
import binascii
import math
from datetime import timedelta
from http import HTTPStatus

from localcloud.arm.clock import Clock
from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.ids import seven_digits

# Azure docs, "Guidance for throttled requests in Azure Resource Graph": 15 queries every 5 s.
QUERIES, _WINDOW_SECONDS = 15, 5
_HELP = "Please see https://aka.ms/resourcegraph-throttling for help."


class GraphLimits:
    """The quota of the one caller there is, and the skip tokens given out; `queries` may be set."""

    def __init__(self, clock: Clock, queries: int) -> None:
        self.queries = queries
        self._clock = clock
        self._resets = clock.now()
        self._used = 0
        self._generation = 1

    def take(self, correlation_id: str) -> dict[str, str]:
        """Count a query; returns the quota headers, raises ArmError (429) beyond the quota."""
        now = self._clock.now()
        if now >= self._resets:
            self._resets = now + self._clock.span(_WINDOW_SECONDS)
            self._used = 0
        if self._used >= self.queries:
            raise self._throttled(correlation_id)
        self._used += 1
        return self._headers()

    def token(self, start: int) -> str:
        """The skip token of the page that begins at row `start`."""
        return base64.b64encode(f"{self._generation}:{start}".encode()).decode()

    def start(self, token: str) -> int:
        """Where the page of a token begins; raises ArmError (400) for one that is no good."""
        try:
            generation, start = base64.b64decode(token, validate=True).decode().split(":")
            if int(generation) == self._generation:
                return int(start)
        except (binascii.Error, ValueError) as error:
            raise _bad_token() from error
        raise _bad_token()

    def expire_tokens(self) -> None:
        """Let no skip token given out so far be good any more."""
        self._generation += 1

    def _left(self) -> int:
        return max(1, math.ceil((self._resets - self._clock.now()).total_seconds()))

    def _headers(self) -> dict[str, str]:
        return {
            "x-ms-user-quota-remaining": str(max(0, self.queries - self._used)),
            "x-ms-user-quota-resets-after": f"{timedelta(seconds=self._left())!s:0>8}",
        }

    def _throttled(self, correlation_id: str) -> ArmError:
        stamp = seven_digits(self._clock.now())
        return ArmError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "RateLimiting",
            "Please provide below info when asking for support: "
            f"timestamp = {stamp}, correlationId = {correlation_id}.",
            headers={**self._headers(), "Retry-After": str(self._left())},
            details=[
                {
                    "code": "RateLimiting",
                    "message": "Client application has been throttled and should not attempt to "
                    f"repeat the request until an amount of time has elapsed. {_HELP}",
                }
            ],
        )


def _bad_token() -> ArmError:
    return bad_request("BadRequest", "The $skipToken is not one of ours, or is no longer good.")
