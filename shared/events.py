"""What an event of Azure, or of our own topic, means for us: the commands that follow it.

An event is a hint. Its body is trusted only for what changed and when; the truth is read from Azure
afterwards. Claims hold personal data: nothing here reads or keeps them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.announcements import EVENT_TYPE_BY_NAME
from shared.domain.identifiers import ResourceId, normalise_id, parse_resource_id
from shared.domain.image_definition import MarketplaceSource
from shared.domain.versions import is_version
from shared.errors import BadMessageError
from shared.messages import (
    BY_EVENT,
    Command,
    HurryBuild,
    NotifyPeople,
    RecordPolicyState,
    StartBuild,
    TrackImageVersion,
    TrackVm,
)
from shared.ports import Definitions

VM = "microsoft.compute/virtualmachines"
SCALE_SET = "microsoft.compute/virtualmachinescalesets"
INSTANCE = f"{SCALE_SET}/virtualmachines"
IMAGE = "microsoft.compute/galleries/images"
IMAGE_VERSION = "microsoft.compute/galleries/images/versions"
TEMPLATE = "microsoft.virtualmachineimages/imagetemplates"

_OURS = "Assay."
SOURCE_VERSION_PUBLISHED = "Assay.SourceVersionPublished"

_SCOPE = re.compile(r"^/(subscriptions/[^/]+(/resourcegroups/[^/]+)?)?$")
"""A subscription or a resource group: Azure Policy speaks about these too."""


@dataclass(frozen=True, slots=True)
class Event:
    """Read-only view over an event in the Event Grid schema or in CloudEvents 1.0."""

    raw: Mapping[str, Any]

    @property
    def type(self) -> str:
        """What happened; BadMessageError when the event does not say."""
        names = ("type",) if "specversion" in self.raw else ("eventType", "type")
        for name in names:
            if name in self.raw:
                return _text(self.raw[name], name)
        raise _bad(names[0], "is missing")

    @property
    def id(self) -> str:
        """The event's own id; BadMessageError when it has none."""
        return _text(self.raw.get("id"), "id")

    @property
    def subject(self) -> str:
        """What it happened to; BadMessageError when the event does not say."""
        return _text(self.raw.get("subject"), "subject")

    def data(self, name: str, *, optional: bool = False) -> str:
        """Return the text under *name* in `data`, empty where it is *optional* and absent.

        Raises BadMessageError when it is missing or no text.
        """
        data = self.raw.get("data")
        if not isinstance(data, Mapping):
            raise _bad("data", "is not an object")
        value = data.get(name)
        if optional and value in (None, ""):
            return ""
        return _text(value, f"data.{name}")

    def resource(self) -> ResourceId | None:
        """Return the subject taken apart; None for a subscription, group or tenant-level scope.

        Raises BadMessageError when the subject is no id of Azure Resource Manager at all.
        """
        subject = normalise_id(self.subject)
        if _SCOPE.match(subject) or subject.startswith("/providers/"):
            return None
        try:
            return parse_resource_id(subject)
        except ValueError as error:
            raise _bad("subject", f"is {self.subject!r}, which is no resource id") from error


def route(event: Mapping[str, Any], definitions: Definitions) -> list[Command]:
    """Return what follows *event*; an empty list when it means nothing to us.

    Raises BadMessageError, naming the field, when the event cannot be read.
    """
    view = Event(event)
    kind = view.type
    if kind == SOURCE_VERSION_PUBLISHED:
        return _start_builds(view, definitions)
    if kind.startswith(_OURS):
        return _notify(view)
    for prefix, read in _READERS.items():
        if kind.startswith(prefix):
            return read(view)
    return []


def _notify(event: Event) -> list[Command]:
    """Tell people of an event that is for them, with the data our own schema names."""
    name = event.type.removeprefix(_OURS)
    kind = EVENT_TYPE_BY_NAME.get(name)
    data = event.raw.get("data")
    if kind is None or not kind.tells_people or not isinstance(data, Mapping):
        return []
    return [NotifyPeople(event_id=event.id, event=name, subject=event.subject, data=dict(data))]


def _start_builds(event: Event, definitions: Definitions) -> list[Command]:
    source = MarketplaceSource(
        publisher=event.data("publisher"), offer=event.data("offer"), sku=event.data("sku")
    )
    version = event.data("version")
    if not is_version(version):
        raise _bad("data.version", f"is {version!r}, which is no version number")
    return [
        StartBuild(definition=d.name, source_version=version, requested_by=BY_EVENT)
        for d in definitions.values()
        if d.source.urn == source.urn
    ]


# --- Azure Resource Manager -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    """What one operation of Azure Resource Manager means."""

    type: str
    """Type of the resource the operation is on."""
    command: Callable[[ResourceId, str], Command]
    outcomes: tuple[str, ...] = ("Success",)
    """Endings of the event types that matter; a failed write changes nothing."""


def _track_vm(_: ResourceId, resource_id: str) -> Command:
    return TrackVm(resource_id=resource_id)


def _track_scale_set(_: ResourceId, resource_id: str) -> Command:
    """Look at the whole set: what a person does to one instance, the set answers with others."""
    return TrackVm(resource_id=resource_id.partition("/virtualmachines/")[0])


def _track_image_version(_: ResourceId, resource_id: str) -> Command:
    return TrackImageVersion(resource_id=resource_id)


def _hurry_build(resource: ResourceId, _: str) -> Command:
    return HurryBuild(template=resource.name)


_OPERATIONS: dict[str, _Operation] = {
    **{
        f"{VM}/{verb}": _Operation(type=VM, command=_track_vm)
        for verb in ("write", "delete", "reimage/action")
    },
    **{
        f"{SCALE_SET}/{verb}": _Operation(type=SCALE_SET, command=_track_scale_set)
        for verb in (
            "write", "delete", "delete/action", "manualupgrade/action", "reimage/action",
            "reimageall/action", "osrollingupgrade/action",
        )
    },
    **{
        f"{INSTANCE}/{verb}": _Operation(type=INSTANCE, command=_track_scale_set)
        for verb in ("write", "delete", "reimage/action", "reimageall/action")
    },
    **{
        f"{IMAGE_VERSION}/{verb}": _Operation(type=IMAGE_VERSION, command=_track_image_version)
        for verb in ("write", "delete")
    },
    f"{IMAGE}/delete": _Operation(type=IMAGE, command=_track_image_version),
    f"{TEMPLATE}/run/action": _Operation(
        type=TEMPLATE, command=_hurry_build, outcomes=("Success", "Failure", "Cancel")
    ),
}  # fmt: skip
"""By operation name in lower case
(https://learn.microsoft.com/azure/role-based-access-control/permissions/compute)."""


def _resource_manager(event: Event) -> list[Command]:
    """Read an event by its type and operation; `data.status` says `Succeeded` for failures too."""
    name = event.data("operationName").lower()
    if name in _TAG_OPERATIONS:
        return _retagged(event)
    operation = _OPERATIONS.get(name)
    if operation is None or not event.type.endswith(operation.outcomes):
        return []
    resource = event.resource()
    if resource is None or resource.type != operation.type:
        raise _bad("subject", f"is {event.subject!r}, which is no {operation.type}")
    return [operation.command(resource, normalise_id(event.subject))]


_TAG_OPERATIONS = ("microsoft.resources/tags/write", "microsoft.resources/tags/delete")
_TAGS = "/providers/microsoft.resources/tags/"


def _retagged(event: Event) -> list[Command]:
    """Read a change of tags alone: team and kind stand in them.

    Tags are a resource below the one they are on
    (https://learn.microsoft.com/rest/api/resources/tags/update-at-scope).
    """
    tagged, found, _ = normalise_id(event.subject).partition(_TAGS)
    if not found or not event.type.endswith("Success") or "/providers/" not in tagged:
        return []
    try:
        resource = parse_resource_id(tagged)
    except ValueError as error:
        raise _bad("subject", f"is {event.subject!r}, which is no resource id") from error
    return [TrackVm(resource_id=tagged)] if resource.type in (VM, SCALE_SET) else []


# --- Azure Policy and resource notifications ------------------------------------------------------


def _policy(event: Event) -> list[Command]:
    change = event.type.rpartition(".")[2]
    if change not in ("PolicyStateCreated", "PolicyStateChanged", "PolicyStateDeleted"):
        return []
    resource = event.resource()
    if resource is None or resource.type not in (VM, INSTANCE):
        return []
    deleted = change == "PolicyStateDeleted"
    return [
        RecordPolicyState(
            resource_id=normalise_id(event.subject),
            assignment_id=normalise_id(event.data("policyAssignmentId")),
            definition_id=normalise_id(event.data("policyDefinitionId")),
            reference_id=event.data("policyDefinitionReferenceId", optional=True).lower(),
            state="" if deleted else event.data("complianceState").lower(),
            timestamp=_timestamp(event.data("timestamp")),
            deleted=deleted,
        )
    ]


def _notification(event: Event) -> list[Command]:
    if event.type.rpartition(".")[2] not in ("CreatedOrUpdated", "Deleted"):
        return []
    resource = event.resource()
    if resource is None or resource.type not in (VM, SCALE_SET):
        return []
    return [TrackVm(resource_id=normalise_id(event.subject))]


_READERS: dict[str, Callable[[Event], list[Command]]] = {
    "Microsoft.Resources.Resource": _resource_manager,
    "Microsoft.PolicyInsights.": _policy,
    "Microsoft.ResourceNotifications.Resources.": _notification,
}
"""By how the event's type starts."""


def _timestamp(text: str) -> datetime:
    """Read the time of an evaluation; Azure writes seven digits of a second, we keep six."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _bad("data.timestamp", f"is {text!r}, which is no time") from error
    if moment.tzinfo is None:
        raise _bad("data.timestamp", f"is {text!r}, which has no time zone")
    return moment


def _text(value: Any, name: str) -> str:
    if value is None or value == "":
        raise _bad(name, "is missing")
    if not isinstance(value, str):
        raise _bad(name, "is not a text")
    return value


def _bad(name: str, fault: str) -> BadMessageError:
    return BadMessageError(f"an event cannot be read: {name} {fault}; find out who sent it")
