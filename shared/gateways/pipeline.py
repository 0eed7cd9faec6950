"""Policies of the Azure SDKs' HTTP pipeline that differ from what the SDKs bring."""

from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncRetryPolicy
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

LONGEST_SLEEP = 5.0
"""Seconds a call may wait on behalf of Azure; anything longer is a queue message's business."""


class LoopbackAuthentication(AsyncARMChallengeAuthenticationPolicy):
    """Sends the token over plain http too: for a Resource Manager on this machine only."""

    async def on_request(self, request: PipelineRequest[Any]) -> None:
        """Add the token to *request*."""
        request.context.options["enforce_https"] = False
        await super().on_request(request)


class ShortRetry(AsyncRetryPolicy[Any, Any]):
    """Retries as the SDK does, but lets a long Retry-After through to the caller."""

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Tell whether the request is to be sent again at once."""
        after = self.get_retry_after(response)
        if after and after > LONGEST_SLEEP:
            return False
        return bool(super().is_retry(settings, response))
