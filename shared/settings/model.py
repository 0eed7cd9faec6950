"""What the app is told: the settings, checked and in their types."""

from dataclasses import dataclass, field

from shared.domain.attestation import AttestationRules
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
    fleet_file: str
    images_dir: str
    pace: Pace
    notify: Notify = field(default_factory=Notify)
    attestation: AttestationRules = field(default_factory=AttestationRules)
    """How verdicts are attested to Azure Policy; off unless an assignment is named."""
    signing_key: str = ""
    """`https://<vault>/keys/<name>[/<version>]`, or `file:<path>` in the local cloud."""
    signs_in: bool = False
    """Whether App Service authentication is on, so that its headers say who calls."""
    max_concurrent_builds: int = 20
    """4 cores each: 20 leave a fifth of the 100 cores a region gives (Azure docs: Resource
    availability and quota limits for Azure Container Instances)."""
