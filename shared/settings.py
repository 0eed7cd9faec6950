"""Settings: one frozen object, read once from the environment; every fault named at once."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from shared.domain.identifiers import normalise_region
from shared.domain.team import TeamRules
from shared.errors import SettingsError
from shared.ports import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where tables and queues are: service URIs with an identity, or a connection string."""

    table_uri: str = ""
    queue_uri: str = ""
    blob_uri: str = ""
    """Only for what people read: logs of builds and evidence."""
    connection_string: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """The chat channel people are told in; no *webhook* means none is."""

    webhook: str = field(default="", repr=False)
    """Its address is a secret: who knows it may post there."""
    form: str = "teams"
    """`teams` or `slack`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between deployments; docs/settings.md describes each."""

    storage: Storage
    identity_client_id: str
    arm_endpoint: str
    topic_endpoint: str
    subscription_id: str
    resource_group: str
    location: str
    gallery: str
    build_identity_id: str
    verify_subnet_id: str
    public_url: str
    teams: TeamRules
    kind_tag: str
    images_dir: str
    pace: Pace
    notify: Notify = field(default_factory=Notify)
    signing_key: str = ""
    """`https://<vault>/keys/<name>[/<version>]`, or `file:<path>` in the local cloud."""
    signs_in: bool = False
    """Whether App Service authentication is on, so that its headers say who calls."""
    max_concurrent_builds: int = 20
    """4 cores each: 20 leave a fifth of the 100 cores a region gives (Azure docs: Resource
    availability and quota limits for Azure Container Instances)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable: its *default* is None where it must be set."""

    name: str
    means: str
    default: str | None = None
    secret: bool = False
    """Whether its value may not be shown, in the log neither."""


VARIABLES: tuple[Variable, ...] = (
    Variable(
        name="AzureWebJobsStorage",
        means="Connection string of the storage account. Only for the local cloud: in Azure leave "
        "it out and set the two service URIs below.",
        default="",
    ),
    Variable(
        name="AzureWebJobsStorage__tableServiceUri",
        means="Table endpoint of the storage account, reached with the managed identity.",
        default="",
    ),
    Variable(
        name="AzureWebJobsStorage__queueServiceUri",
        means="Queue endpoint of the storage account, reached with the managed identity.",
        default="",
    ),
    Variable(
        name="AzureWebJobsStorage__blobServiceUri",
        means="Blob endpoint of the storage account, reached with the managed identity; build logs "
        "are kept there, and the host keeps its keys and timer locks there. Empty: logs are left "
        "where Image Builder put them.",
        default="",
    ),
    Variable(
        name="AzureWebJobsStorage__clientId",
        means="Client id of the user-assigned identity Assay runs as, for storage, Azure Resource "
        "Manager and Event Grid alike; empty means the system-assigned one.",
        default="",
    ),
    Variable(
        name="ASSAY_ARM_ENDPOINT",
        means="Azure Resource Manager; http is accepted on a loopback address only.",
        default="https://management.azure.com",
    ),
    Variable(
        name="ASSAY_TOPIC_ENDPOINT",
        means="Endpoint of the Event Grid custom topic Assay publishes to, ending in /api/events.",
    ),
    Variable(
        name="ASSAY_SUBSCRIPTION_ID",
        means="Subscription that holds the gallery, the templates and the verification VMs.",
    ),
    Variable(
        name="ASSAY_RESOURCE_GROUP",
        means="Resource group of the gallery, the templates and the verification VMs.",
    ),
    Variable(name="ASSAY_LOCATION", means="Region of all of these, for example westeurope."),
    Variable(name="ASSAY_GALLERY", means="Name of the Compute Gallery."),
    Variable(
        name="ASSAY_BUILD_IDENTITY_ID",
        means="Resource id of the user-assigned identity Image Builder works with.",
    ),
    Variable(
        name="ASSAY_VERIFY_SUBNET_ID",
        means="Resource id of the subnet verification VMs are put in.",
    ),
    Variable(
        name="ASSAY_PUBLIC_URL",
        means="Address people reach the API under, for links in answers and events.",
        default="",
    ),
    Variable(name="ASSAY_TEAM_TAG", means="Tag that names a VM's team.", default="team"),
    Variable(
        name="ASSAY_TEAM_RESOURCE_GROUP_PATTERN",
        means="Regular expression over the resource group's name, in lower case; its group "
        "(?P<team>…) is the team when the tag is missing. Empty switches it off.",
        default="",
    ),
    Variable(
        name="ASSAY_TEAM_SUBSCRIPTIONS",
        means="JSON object of subscription id to team, when neither tag nor resource group says.",
        default="{}",
    ),
    Variable(
        name="ASSAY_KIND_TAG",
        means="Tag that says `pet` or `cattle`; without it scale-set members are cattle and all "
        "other VMs pets.",
        default="assay-kind",
    ),
    Variable(
        name="ASSAY_IMAGES_DIR",
        means="Folder of the image definitions, relative to the app.",
        default="images",
    ),
    Variable(
        name="ASSAY_LOOK_SECONDS",
        means="Time between two looks at something Azure is doing.",
        default="60",
    ),
    Variable(
        name="ASSAY_GRACE_SECONDS",
        means="How long after its due time a repeated delivery checks that a build went on.",
        default="120",
    ),
    Variable(
        name="ASSAY_RETRY_SECONDS",
        means="Wait before a new attempt after Azure itself failed.",
        default="1800",
    ),
    Variable(
        name="ASSAY_BLIND_SECONDS",
        means="How long an unreadable status is put up with beyond the build's own timeout.",
        default="1800",
    ),
    Variable(
        name="ASSAY_MAX_CONCURRENT_BUILDS",
        means="How many builds Image Builder may work on at once in this subscription and region; "
        "the others wait in line. Each needs a container group of 4 cores of your quota.",
        default="20",
    ),
    Variable(
        name="ASSAY_NOTIFY_WEBHOOK",
        means="Address of the chat channel people are told in: a Teams workflow or a Slack "
        "incoming webhook. A secret: a Key Vault reference. Empty means that nobody is told.",
        default="",
        secret=True,
    ),
    Variable(
        name="ASSAY_NOTIFY_FORMAT",
        means="What the channel reads: `teams` (Adaptive Card) or `slack` (blocks).",
        default="teams",
    ),
    Variable(
        name="ASSAY_SIGNING_KEY",
        means="Key that signs the provenance of versions: `https://<vault>/keys/<name>`, with "
        "`/<version>` to stay with one version. Empty: evidence is unsigned, and says so.",
        default="",
    ),
    Variable(
        name="WEBSITE_AUTH_ENABLED",
        means="Set by App Service itself, to `True` when its authentication is on; only then "
        "the header `x-ms-client-principal-id` is believed.",
        default="",
    ),
    Variable(
        name="ASSAY_SOAK_SECONDS",
        means="How long a version stays in a channel before it is promoted to the next, where the "
        "definition does not say.",
        default="86400",
    ),
    Variable(
        name="ASSAY_CARE_SCHEDULE",
        means="When to look after channels, retention and gallery limits: NCRONTAB with six "
        "fields, UTC.",
        default="0 */10 * * * *",
    ),
    Variable(
        name="ASSAY_DETECT_SCHEDULE",
        means="When to look for new Marketplace versions: NCRONTAB with six fields, UTC.",
        default="0 */15 * * * *",
    ),
)
"""Every setting; the schedules are read by the host through the triggers' `%…%`."""

_DEFAULTS = {v.name: v.default for v in VARIABLES}
_SECRETS = {v.name for v in VARIABLES if v.secret}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_RESOURCE_ID = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+$", re.IGNORECASE
)
_VAULT_KEY = re.compile(
    r"^https://[a-z0-9.-]+(:\d+)?/keys/[0-9a-z-]{1,127}(/[0-9a-f]{1,64})?$", re.IGNORECASE
)
_GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)


class _Reader:
    """Reads variables one by one and gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def read[T](self, name: str, convert: Callable[[str], T], blank: T) -> T:
        """Return the converted variable, or *blank* after noting what is wrong."""
        value = self._environ.get(name, "").strip() or _DEFAULTS[name]
        if value is None:
            self.problems.append(f"{name} is not set.")
            return blank
        try:
            return convert(value)
        except ValueError as error:
            shown = "wrong" if name in _SECRETS else repr(value)
            self.problems.append(f"{name} is {shown}: {error}.")
            return blank

    def text(self, name: str) -> str:
        """Return the variable as it is."""
        return self.read(name, str, "")

    def seconds(self, name: str) -> timedelta:
        """Return the variable as a duration."""
        return self.read(name, _seconds, timedelta())


def settings_from_environ(environ: Mapping[str, str]) -> Settings:
    """Read the settings from *environ*.

    Raises SettingsError that names every missing or malformed variable at once.
    """
    reader = _Reader(environ)
    arm_endpoint = reader.read("ASSAY_ARM_ENDPOINT", _url, "").rstrip("/")
    settings = Settings(
        storage=_storage(reader),
        identity_client_id=reader.text("AzureWebJobsStorage__clientId"),
        arm_endpoint=arm_endpoint,
        topic_endpoint=reader.read("ASSAY_TOPIC_ENDPOINT", _url, ""),
        subscription_id=reader.read("ASSAY_SUBSCRIPTION_ID", _guid, ""),
        resource_group=reader.text("ASSAY_RESOURCE_GROUP"),
        location=reader.read("ASSAY_LOCATION", normalise_region, ""),
        gallery=reader.text("ASSAY_GALLERY"),
        build_identity_id=reader.read("ASSAY_BUILD_IDENTITY_ID", _resource_id, ""),
        verify_subnet_id=reader.read("ASSAY_VERIFY_SUBNET_ID", _resource_id, ""),
        public_url=reader.read("ASSAY_PUBLIC_URL", _optional_url, "").rstrip("/"),
        teams=TeamRules(
            tag=reader.text("ASSAY_TEAM_TAG").lower(),
            resource_group=reader.read("ASSAY_TEAM_RESOURCE_GROUP_PATTERN", _team_pattern, None),
            subscriptions=reader.read("ASSAY_TEAM_SUBSCRIPTIONS", _team_map, {}),
        ),
        kind_tag=reader.text("ASSAY_KIND_TAG").lower(),
        images_dir=reader.text("ASSAY_IMAGES_DIR"),
        pace=Pace(
            look=reader.seconds("ASSAY_LOOK_SECONDS"),
            grace=reader.seconds("ASSAY_GRACE_SECONDS"),
            retry=reader.seconds("ASSAY_RETRY_SECONDS"),
            blind=reader.seconds("ASSAY_BLIND_SECONDS"),
            soak=reader.seconds("ASSAY_SOAK_SECONDS"),
        ),
        max_concurrent_builds=reader.read("ASSAY_MAX_CONCURRENT_BUILDS", _builds_at_once, 1),
        notify=Notify(
            webhook=reader.read("ASSAY_NOTIFY_WEBHOOK", _optional_url, ""),
            form=reader.read("ASSAY_NOTIFY_FORMAT", _notify_form, "teams"),
        ),
        signing_key=_signing_key(reader, arm_endpoint),
        signs_in=reader.text("WEBSITE_AUTH_ENABLED").lower() == "true",
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def _storage(reader: _Reader) -> Storage:
    storage = Storage(
        connection_string=reader.text("AzureWebJobsStorage"),
        table_uri=reader.read("AzureWebJobsStorage__tableServiceUri", _optional_url, ""),
        queue_uri=reader.read("AzureWebJobsStorage__queueServiceUri", _optional_url, ""),
        blob_uri=reader.read("AzureWebJobsStorage__blobServiceUri", _optional_url, ""),
    )
    if not storage.connection_string and not (storage.table_uri and storage.queue_uri):
        reader.problems.append(
            "AzureWebJobsStorage__tableServiceUri and AzureWebJobsStorage__queueServiceUri are "
            "not both set (the local cloud sets AzureWebJobsStorage instead)."
        )
    return storage


def _signing_key(reader: _Reader, arm_endpoint: str) -> str:
    """Read the signing key; one in a file is for the local cloud, whose Azure is a loopback one."""
    local = urlsplit(arm_endpoint).hostname in _LOOPBACK

    def convert(value: str) -> str:
        if not value or _VAULT_KEY.match(value):
            return value
        if value.startswith("file:") and local:
            return value
        raise ValueError(
            "it must be https://<vault>/keys/<name> or …/<name>/<version>"
            + (", or file:<path>" if local else "")
        )

    return reader.read("ASSAY_SIGNING_KEY", convert, "")


def _seconds(value: str) -> timedelta:
    seconds = float(value)
    if not 0 < seconds <= 7 * 24 * 3600:
        raise ValueError("it must be more than 0 and at most 604800 seconds")
    return timedelta(seconds=seconds)


_MOST_BUILDS = 100


def _builds_at_once(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= _MOST_BUILDS:
        raise ValueError(f"it must be a whole number from 1 to {_MOST_BUILDS}")
    return int(value)


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname:
        return value
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return value
    raise ValueError("it must be an https address (http only on this machine)")


def _optional_url(value: str) -> str:
    return _url(value) if value else ""


def _notify_form(value: str) -> str:
    if value not in ("teams", "slack"):
        raise ValueError("it must be teams or slack")
    return value


def _guid(value: str) -> str:
    if not _GUID.match(value):
        raise ValueError("it must be a GUID")
    return value.lower()


def _resource_id(value: str) -> str:
    if not _RESOURCE_ID.match(value):
        raise ValueError("it must be a resource id that starts /subscriptions/…/resourceGroups/…")
    return value


def _team_pattern(value: str) -> re.Pattern[str] | None:
    if not value:
        return None
    try:
        pattern = re.compile(value)
    except re.error as error:
        raise ValueError(f"it is no regular expression ({error})") from error
    if "team" not in pattern.groupindex:
        raise ValueError("it lacks a group called team: (?P<team>…)")
    return pattern


def _team_map(value: str) -> dict[str, str]:
    try:
        parsed = json.loads(value)
    except ValueError as error:
        raise ValueError("it must be a JSON object") from error
    if not isinstance(parsed, dict) or not all(isinstance(v, str) for v in parsed.values()):
        raise ValueError("it must be a JSON object of subscription id to team name")
    return {k.lower(): v for k, v in parsed.items()}
