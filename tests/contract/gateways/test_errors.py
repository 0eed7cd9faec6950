"""How what Azure answers becomes an error of ours."""

from datetime import timedelta

import pytest

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import HttpFault
from shared.errors import (
    AssayError,
    NotFoundError,
    NotReadyError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)
from shared.gateways.clients import AzureClients
from shared.gateways.marketplace import MarketplaceGateway
from shared.gateways.verification_vms import VerificationVmsGateway
from shared.settings import Settings
from tests.arm_plugin import FixedToken
from tests.contract.gateways import things
from tests.contract.gateways.things import JAMMY

LISTING = "VirtualMachineImages_List"


@pytest.fixture
def marketplace(clients: AzureClients, settings: Settings) -> MarketplaceGateway:
    return MarketplaceGateway(clients, settings)


async def _refused_as(
    arm: ArmSimulator, marketplace: MarketplaceGateway, fault: HttpFault
) -> AssayError:
    arm.add_fault(fault.model_copy(update={"operation": LISTING}))
    with pytest.raises(AssayError) as caught:
        await marketplace.versions(JAMMY)
    return caught.value


@pytest.mark.parametrize("status", [429, 503])
async def test_a_throttled_call_says_how_long_to_wait(
    arm: ArmSimulator, marketplace: MarketplaceGateway, status: int
) -> None:
    fault = HttpFault(status=status, code="TooManyRequests", message="Slow.", retry_after=37)

    error = await _refused_as(arm, marketplace, fault)

    assert isinstance(error, ThrottledError)
    assert error.after == timedelta(seconds=37)
    assert f"said {status} (TooManyRequests: Slow.)" in str(error)


async def test_a_throttled_call_need_not_say_how_long(
    arm: ArmSimulator, marketplace: MarketplaceGateway
) -> None:
    error = await _refused_as(arm, marketplace, HttpFault(status=429, code="TooManyRequests"))

    assert isinstance(error, ThrottledError)
    assert error.after is None


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (500, "InternalServerError", "Encountered internal server error.", UnavailableError),
        (504, "GatewayTimeout", "The gateway did not receive a response.", UnavailableError),
        (408, "RequestTimeout", "The request timed out.", UnavailableError),
        (400, "BadRequest", "Internal error occurred. This is a generic error", UnavailableError),
        (409, "OperationNotAllowed", "Another operation is in progress.", UnavailableError),
        (409, "SkuNotAvailable", "The size is not available.", UnavailableError),
        (403, "QuotaExceeded", "Cores quota exceeded.", UnavailableError),
        (404, "NotFound", "Publisher: x was not found.", NotFoundError),
        (404, "SubscriptionNotFound", "The subscription could not be found.", NotReadyError),
        (401, "ExpiredAuthenticationToken", "The token has expired.", NotReadyError),
        (403, "AuthorizationFailed", "The client lacks the right.", NotReadyError),
        (403, "RequestDisallowedByPolicy", "Disallowed by policy.", RefusedError),
        (400, "InvalidParameter", "The value is invalid.", RefusedError),
        (409, "PropertyChangeNotAllowed", "Changing it is not allowed.", RefusedError),
        (409, "MissingSubscriptionRegistration", "Not registered.", RefusedError),
    ],
)
async def test_what_azure_answers_is_sorted_into_wait_missing_and_refused(
    arm: ArmSimulator,
    marketplace: MarketplaceGateway,
    *,
    status: int,
    code: str,
    message: str,
    kind: type[AssayError],
) -> None:
    error = await _refused_as(
        arm, marketplace, HttpFault(status=status, code=code, message=message)
    )

    assert type(error) is kind
    assert str(error).startswith(
        f"Azure did not list the versions of {JAMMY.urn} in westeurope and said {status} "
        f"({code}: {message})"
    )


async def test_a_refusal_for_want_of_a_right_says_whose(
    arm: ArmSimulator, marketplace: MarketplaceGateway
) -> None:
    fault = HttpFault(status=403, code="AuthorizationFailed", message="No.")

    arm.add_fault(fault)
    with pytest.raises(NotReadyError) as caught:
        await marketplace.versions(JAMMY)

    assert str(caught.value).endswith("give the identity Assay runs as the right")
    assert caught.value.after == timedelta(minutes=5)


async def test_a_policy_that_forbids_is_said_to_be_one(
    arm: ArmSimulator, marketplace: MarketplaceGateway
) -> None:
    fault = HttpFault(status=403, code="RequestDisallowedByPolicy", message="No.")

    error = await _refused_as(arm, marketplace, fault)

    assert str(error).endswith("or have the policy changed")


async def test_set_up_that_is_missing_may_be_on_its_way(
    arm: ArmSimulator, marketplace: MarketplaceGateway
) -> None:
    arm.add_fault(HttpFault(status=404, code="ParentResourceNotFound", message="No gallery."))

    with pytest.raises(NotReadyError, match="deploy what is missing"):
        await marketplace.versions(JAMMY)


async def test_azures_own_words_are_cut(arm: ArmSimulator, marketplace: MarketplaceGateway) -> None:
    fault = HttpFault(status=400, code="InvalidParameter", message="x" * 5000)

    error = await _refused_as(arm, marketplace, fault)

    assert len(str(error)) < 750


async def test_nothing_at_the_other_end_is_unavailable(settings: Settings) -> None:
    nobody = things.settings(
        arm="http://127.0.0.1:9", subscription=settings.subscription_id, topic="http://127.0.0.1:9/"
    )
    clients = AzureClients(nobody, FixedToken(), retries=0)

    with pytest.raises(UnavailableError, match="could not be reached"):
        await MarketplaceGateway(clients, nobody).versions(JAMMY)
    await clients.close()


async def test_an_unknown_subscription_is_not_taken_for_a_missing_vm(
    arm: ArmSimulator, clients: AzureClients, settings: Settings
) -> None:
    fault = HttpFault(status=404, code="SubscriptionNotFound", message="Not found.")
    arm.add_fault(fault.model_copy(update={"operation": "VirtualMachines_Get"}))

    with pytest.raises(NotReadyError, match="SubscriptionNotFound"):
        await VerificationVmsGateway(clients, settings).status("av-ubuntu-2204-1")


async def test_a_call_is_sent_again_after_a_short_wait_but_not_a_long_one(
    arm: ArmSimulator, settings: Settings
) -> None:
    clients = AzureClients(settings, FixedToken(), retries=2)
    marketplace = MarketplaceGateway(clients, settings)
    fault = HttpFault(operation=LISTING, status=429, code="TooManyRequests", times=1)
    arm.add_fault(fault.model_copy(update={"retry_after": 1}))

    assert await marketplace.versions(JAMMY)

    arm.add_fault(fault.model_copy(update={"retry_after": 60}))
    with pytest.raises(ThrottledError):
        await marketplace.versions(JAMMY)
    await clients.close()
    asked = [e for e in arm.cloud.traffic if e.operation == LISTING]
    assert [e.status for e in asked] == [429, 200, 429]
