"""VM records as the API answers them; each carries its own "as of"."""

from collections.abc import Sequence

from shared.domain.history import VmLine
from shared.domain.vm_record import Image, PolicyState, TattooReading, VmRecord
from shared.web.exchange import Json, Links
from shared.web.views.values import history_view, instant, instant_or_none


def vm_summary(vm: VmRecord, links: Links) -> Json:
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
        "image": _image(vm.image, vm.definition),
        "verdict": vm.verdict.value,
        "reason": vm.reason,
        "policy": vm.policy or None,
        "tattoo": {"state": vm.tattoo.state.value} if vm.tattoo else None,
        "changed_at": instant(vm.changed_at),
        "deleted_at": instant_or_none(vm.deleted_at),
        "as_of": instant(vm.as_of),
        "url": links.to("vms", vm.key),
    }


def vm_view(
    vm: VmRecord, states: Sequence[PolicyState], newest: Sequence[VmLine], links: Links
) -> Json:
    """Return everything about a VM: record, policy states and *newest* lines, oldest first."""
    return {
        **vm_summary(vm, links),
        "scale_set_id": vm.scale_set_id or None,
        "created_at": instant_or_none(vm.created_at),
        "first_seen_at": instant(vm.first_seen_at),
        "tattoo": _tattoo(vm.tattoo) if vm.tattoo else None,
        "policy_states": [_policy_state(s) for s in states],
        "history": history_view(line.transition for line in newest),
        "history_url": links.to("history", "vms", vm.key),
    }


def _image(image: Image, definition: str) -> Json:
    return {
        "definition": definition or None,
        "id": image.image_id or None,
        "version": image.version or None,
        "told_by": image.source.value,
        "mismatch": image.mismatch,
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


def _policy_state(state: PolicyState) -> Json:
    return {
        "assignment_id": state.assignment_id,
        "definition_id": state.definition_id,
        "reference_id": state.reference_id or None,
        "state": state.state or None,
        "timestamp": instant(state.timestamp),
        "deleted": state.deleted,
    }
