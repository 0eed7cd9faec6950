"""The HTTP pipeline of the Azure Resource Manager clients.

It is the SDKs' own, less the policy that registers resource providers: that one asks for a right
Assay does not need, and sleeps until the registration is done.
"""

from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse, policies
from azure.mgmt.core.policies import (
    ARMHttpLoggingPolicy,
    AsyncARMChallengeAuthenticationPolicy,
)

LONGEST_SLEEP = 5.0
"""Seconds a call may wait on behalf of Azure; anything longer is a queue message's business."""


class LoopbackAuthentication(AsyncARMChallengeAuthenticationPolicy):
    """Sends the token over plain http too: for a Resource Manager on this machine only."""

    async def on_request(self, request: PipelineRequest[Any]) -> None:
        """Add the token to *request*."""
        request.context.options["enforce_https"] = False
        await super().on_request(request)


class ShortRetry(policies.AsyncRetryPolicy[Any, Any]):
    """Retries as the SDK does, but lets a long Retry-After through to the caller."""

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Tell whether the request is to be sent again at once."""
        after = self.get_retry_after(response)
        if after and after > LONGEST_SLEEP:
            return False
        return bool(super().is_retry(settings, response))


def pipeline(
    credential: AsyncTokenCredential, scope: str, *, retries: int, loopback: bool
) -> list[Any]:
    """Return the policies of one client, outermost first; no two clients may share them."""
    authentication = LoopbackAuthentication if loopback else AsyncARMChallengeAuthenticationPolicy
    return [
        policies.RequestIdPolicy(),
        policies.HeadersPolicy(),
        policies.UserAgentPolicy(user_agent="assay"),
        policies.ProxyPolicy(),
        policies.ContentDecodePolicy(),
        policies.AsyncRedirectPolicy(),
        ShortRetry(retry_total=retries),
        authentication(credential, scope),
        policies.CustomHookPolicy(),
        policies.DistributedTracingPolicy(),
        policies.SensitiveHeaderCleanupPolicy(),
        ARMHttpLoggingPolicy(),
    ]
