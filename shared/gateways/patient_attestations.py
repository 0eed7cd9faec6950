"""Attesting with patience: what is bound to fail costs Azure no call, and people one message."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.attestation import Statement
from shared.domain.identifiers import parse_resource_id
from shared.errors import AssignmentError, NotReadyError, RefusedError, ThrottledError
from shared.ports import Attestations, Reception

_log = logging.getLogger("assay")

_EVERYWHERE = ""
"""The place of a refusal that holds for every subscription."""
_UNDER_WAY = timedelta(minutes=10)
"""How long a new role assignment takes to work, at most
(https://learn.microsoft.com/azure/role-based-access-control/troubleshooting)."""
_ASK_AGAIN = timedelta(minutes=4)
"""A missing right is not asked for again before; a message that met it comes back later."""
_HOLD = timedelta(minutes=10)
"""How long nothing is attested where it is known to be refused; then one machine is tried."""
_PROVEN = timedelta(hours=1)
"""How long after an attestation was taken a refusal is laid to the one machine."""
_REMIND = timedelta(days=1)
"""How long after a person was told of a refusal that stays the next message is parked."""
_SLOW_DOWN = timedelta(seconds=10)
"""When Azure throttles without saying for how long."""


@dataclass(slots=True)
class _Trouble:
    """Why nothing is attested in one place."""

    since: datetime
    quiet_until: datetime
    said: str
    told_at: datetime | None = None
    """When a person was told, by a message that was parked."""


class PatientAttestations:
    """Implements `shared.ports.Attestations` over another one, for one process.

    A wrong assignment, or a missing right, concerns every machine of the fleet or of a
    subscription. One message is parked that says so; the others end quietly, and what they were to
    attest stays due, so that the sweep brings it again.
    """

    def __init__(self, attestations: Attestations, *, clock: Callable[[], datetime]) -> None:
        self._attestations = attestations
        self._clock = clock
        self._troubles: dict[str, _Trouble] = {}
        self._throttled: dict[str, datetime] = {}
        """Until when each subscription takes nothing."""
        self._taken_at: datetime | None = None
        """When Azure Policy last took an attestation, so that the assignment was a good one."""

    async def put(self, resource_id: str, statement: Statement) -> Reception:
        """Attest a machine, unless that is bound to fail."""
        subscription = parse_resource_id(resource_id).subscription_id
        if self._is_held(_EVERYWHERE) or self._is_held(subscription):
            return Reception.HELD_BACK
        self._wait_for(subscription)
        try:
            reception = await self._attestations.put(resource_id, statement)
        except ThrottledError as error:
            self._throttled[subscription] = self._clock() + (error.after or _SLOW_DOWN)
            raise
        except NotReadyError as error:
            return self._refused(subscription, error, patience=_UNDER_WAY)
        except AssignmentError as error:
            if self._taken_at and self._clock() - self._taken_at < _PROVEN:
                _log.warning("attesting %s is tried again later: %s", resource_id, error)
                return Reception.NOT_NOW
            return self._refused(_EVERYWHERE, error, patience=timedelta())
        except RefusedError as error:
            return self._refused(subscription, error, patience=timedelta())
        self._troubles.pop(_EVERYWHERE, None)
        self._troubles.pop(subscription, None)
        if reception is Reception.TAKEN:
            self._taken_at = self._clock()
        return reception

    def _is_held(self, place: str) -> bool:
        """Tell whether a person knows, and it is too early to try again.

        Raises NotReadyError, without a call, while a right may still be under way.
        """
        trouble = self._troubles.get(place)
        if trouble is None or self._clock() >= trouble.quiet_until:
            return False
        if trouble.told_at is None:
            raise NotReadyError(trouble.said)
        return True

    def _wait_for(self, subscription: str) -> None:
        until = self._throttled.get(subscription)
        left = until - self._clock() if until else timedelta()
        if left > timedelta():
            raise ThrottledError(
                f"Azure takes no attestations in subscription {subscription} just now", after=left
            )

    def _refused(
        self, place: str, error: NotReadyError | RefusedError, *, patience: timedelta
    ) -> Reception:
        """Raise *error*: as one that passes for a while, then once as one for a person."""
        now = self._clock()
        trouble = self._troubles.setdefault(place, _Trouble(now, now, str(error)))
        if now - trouble.since < patience:
            trouble.quiet_until = now + _ASK_AGAIN
            raise error
        trouble.quiet_until = now + _HOLD
        if trouble.told_at is not None and now - trouble.told_at < _REMIND:
            return Reception.HELD_BACK
        trouble.told_at = now
        raise RefusedError(
            f"{error}. Nothing is attested there until that is mended, but for one try every ten "
            "minutes"
        ) from error
