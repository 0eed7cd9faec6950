"""VM records as the API answers them; each carries its own "as of"."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.history import VmLine
from shared.domain.vm_record import (
    Attestation,
    PolicyState,
    TattooReading,
    VmRecord,
    kind_of_image,
)
from shared.web.exchange import Json, Links
from shared.web.views.policy import policy_states_view, policy_summary
from shared.web.views.standing import plan_view, standing_view
from shared.web.views.today import Today
from shared.web.views.values import history_view, instant, instant_or_none


def vm_summary(vm: VmRecord, links: Links, today: Today) -> Json:
    """Return a VM as lists show it; what is not known is null."""
    return {
        "key": vm.key,
        "resource_id": vm.resource_id,
        "name": vm.name,
        "subscription": vm.subscription_id,
        "resource_group": vm.resource_group,
        "region": vm.region,
        "os": vm.os or None,
        "team": vm.team or None,
        "kind": vm.kind.value,
        "machine": vm.machine.value,
        "specialised": vm.specialised,
        "image": _image(vm),
        **standing_view(vm, today),
        "plan": plan_view(vm, today),
        **policy_summary(vm, today),
        "tattoo": {"state": vm.tattoo.state.value} if vm.tattoo else None,
        "changed_at": instant(vm.changed_at),
        "deleted_at": instant_or_none(vm.deleted_at),
        "as_of": instant(vm.as_of),
        "url": links.to("vms", vm.key),
    }


def vm_view(
    vm: VmRecord,
    states: Sequence[PolicyState],
    newest: Sequence[VmLine],
    links: Links,
    today: Today,
    *,
    confirmed_at: datetime | None = None,
) -> Json:
    """Return everything about a VM: record, policy states and *newest* lines, oldest first.

    *confirmed_at* is when it was last found as it is recorded.
    """
    return {
        **vm_summary(vm, links, today),
        "confirmed_at": instant_or_none(confirmed_at),
        "scale_set_id": vm.scale_set_id or None,
        "created_at": instant_or_none(vm.created_at),
        "first_seen_at": instant(vm.first_seen_at),
        "tattoo": _tattoo(vm.tattoo) if vm.tattoo else None,
        "attestation": _attestation(vm.attestation) if vm.attestation else None,
        **policy_states_view(states, today),
        "history": history_view(line.transition for line in newest),
        "history_url": links.to("history", "vms", vm.key),
    }


def _image(vm: VmRecord) -> Json:
    image = vm.image
    return {
        "definition": vm.definition or None,
        "kind": kind_of_image(image.image_id).value,
        "id": image.image_id or None,
        "version": image.version or None,
        "told_by": image.source.value,
        "mismatch": image.mismatch,
    }


def _attestation(said: Attestation) -> Json:
    return {
        "state": said.state,
        "said_at": instant(said.said_at),
        "expires_at": instant(said.expires_at),
    }


def _tattoo(reading: TattooReading) -> Json:
    return {
        "state": reading.state.value,
        "since": instant_or_none(reading.since),
        "read_at": instant(reading.read_at),
        "by": reading.by,
        "version": reading.version or None,
        "differences": list(reading.differences),
    }
